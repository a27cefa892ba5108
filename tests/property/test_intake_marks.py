"""Marks never go back, and never speak of what is not in the log or will still come in order."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.support.input_records import NOW, InputRecord, record
from tests.support.intakes import DECLARED, WALL, events, intake, mark

SOURCES = ("a-0", "a-1", "b-0")
steps = st.lists(
    st.tuples(
        st.sampled_from(["event", "bad", "declare", "mark", "mark", "quiet"]),
        st.sampled_from(SOURCES),
        st.integers(-60_000, 60_000),
    ),
    max_size=40,
)


def _record(kind: str, at: int) -> Sequence[InputRecord]:
    if kind == "event":
        return [record(occurred_at=at, timestamp=NOW)]
    return [record("source.progress", up_to=at, timestamp=NOW)] if kind == "declare" else [InputRecord(b"{")]


@given(steps)
def test_marks_never_go_back_and_speak_only_of_handled_records(story: list[tuple[str, str, int]]) -> None:
    processor = intake(*SOURCES, a=WALL, b=DECLARED)
    told: dict[str, int] = {}
    may_claim: dict[str, int] = {}
    clock = 0
    for kind, source, shift in story:
        at = NOW + shift
        if kind in ("mark", "quiet"):
            if kind == "quiet" and source != "b-0":
                may_claim[source] = max(may_claim.get(source, 0), at - 1_000)
            outputs = processor.marks(at, {source: at} if kind == "quiet" else {}, 0)
            if outputs:
                new = mark(outputs)
                assert all(new.sources[name] >= reached for name, reached in told.items())
                assert all(reached <= may_claim[name] for name, reached in new.sources.items())
                told, clock = new.sources, new.clock
                assert clock == at
        else:
            written = events(processor.handle(source, _record(kind, at)))
            if written and source != "b-0":
                may_claim[source] = max(may_claim.get(source, 0), min(written[0].occurred_at, NOW) - 5_000)
            if kind == "declare":
                may_claim[source] = max(may_claim.get(source, 0), at if source == "b-0" else min(at, NOW))
    assert processor.counters.accounted_for == processor.counters.received


@given(st.lists(st.tuples(st.sampled_from(SOURCES), st.integers(0, 48)), max_size=30), st.sets(st.sampled_from(SOURCES)))
def test_never_all_sources_that_have_records_are_paused(read: list[tuple[str, int]], at_end: set[str]) -> None:
    processor = intake(*SOURCES, a=WALL, b=DECLARED)
    for source, hours in read:
        processor.handle(source, [record(occurred_at=NOW - hours * 3_600_000)])
    processor.marks(NOW, dict.fromkeys(at_end, NOW), 0)
    waiting = set(SOURCES) - at_end
    assert not waiting or waiting - processor.paused()

"""The order in which Intake takes what several sources have brought."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.cases.items import RANK
from tests.support.input_records import NOW, InputRecord, record
from tests.support.intakes import WALL, events, intake

SOURCES = ("a-0", "a-1", "b-0")
TYPES = ("contact.opened", "message.customer", "case.resolved", "case.closed")
Story = dict[str, list[tuple[int, str]]]


def stories(*kinds: str) -> st.SearchStrategy[Story]:
    """What each source has brought, in the order of event time: (second, kind)."""
    said = st.tuples(st.integers(0, 5), st.sampled_from(kinds))
    return st.dictionaries(st.sampled_from(SOURCES), st.lists(said, max_size=8).map(sorted), min_size=1)


def _record(source: str, index: int, second: int, kind: str) -> InputRecord:
    if kind == "bad":
        return InputRecord(b"{", index)
    if kind == "declared":
        return record("source.progress", offset=index, up_to=NOW)
    return record(kind, offset=index, occurred_at=NOW + second * 1_000, event_id=f"{source}@{index}", contact_id="k1")


def _records(story: Story) -> dict[str, list[InputRecord]]:
    return {source: [_record(source, index, *said) for index, said in enumerate(told)] for source, told in story.items()}


@given(stories(*TYPES))
def test_sources_in_order_make_one_log_in_the_order_of_cases(story: Story) -> None:
    outputs, taken = intake(*SOURCES, a=WALL, b=WALL).handle_together(_records(story), frozenset(), 1_000)
    order = [(event.occurred_at, RANK[event.type]) for event in events(outputs)]
    assert order == sorted(order)
    assert taken == {source: len(told) for source, told in story.items()}


@given(stories(*TYPES, "bad", "declared"), st.integers(1, 6), st.sets(st.sampled_from(SOURCES)))
def test_taken_in_parts_every_record_is_taken_once_and_in_the_same_order(story: Story, most: int, more: set[str]) -> None:
    whole = intake(*SOURCES, a=WALL, b=WALL).handle_together(_records(story), frozenset(), 1_000)[0]
    processor = intake(*SOURCES, a=WALL, b=WALL)
    waiting, outputs = _records(story), []
    while any(waiting.values()):
        part, taken = processor.handle_together(waiting, more, most)
        assert any(taken.values())
        outputs += part
        waiting = {source: records[taken[source] :] for source, records in waiting.items()}
    assert events(outputs) == events(whole)
    assert len(outputs) == len(whole)
    assert processor.counters.received == processor.counters.accounted_for == sum(map(len, story.values()))

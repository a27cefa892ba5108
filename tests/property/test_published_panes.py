"""A status speaks of all slow panes: whatever was withheld before, they are on the topic when it says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.cases import CasesProcessor
from agents.ports import Output
from models.durability.keyed import KeyedState
from models.events.canonical import Definitions, Event, Mark
from stream_app.wire import canonical
from stream_app.wire.keyed import CASES
from tests.support.input_records import InputRecord

BEGIN = 1_700_006_400_000
HOUR = 3_600_000
HORIZON_SECONDS = 7_200
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 4 * HOUR)),
        st.tuples(st.just("mark"), st.sampled_from((50, 1_000, 2_000, 2_001, HOUR))),
        st.tuples(st.just("publish"), st.booleans()),
        st.tuples(st.just("recover"), st.just(0)),
    ),
    min_size=4,
    max_size=40,
)


class Topic:
    """The slow panes of the topic, by greatest fence, and how often a status spoke of them."""

    def __init__(self) -> None:
        self.panes: dict[tuple[Any, ...], tuple[list[int], dict[str, int]]] = {}
        self.statuses = 0

    def take(self, outputs: Iterable[Output], state: KeyedState[Any]) -> None:
        for output in outputs:
            if output.topic != "panes" or output.value is None:
                continue
            key, value = msgspec.json.decode(output.key or b""), msgspec.json.decode(output.value)
            if key[0] == "p" and key[3] == "slow":
                self._take_pane((key[3], key[4], tuple(key[5])), value)
            elif key[0] == "s":
                self.statuses += 1
                assert {where: facts for where, (_, facts) in self.panes.items() if facts} == slow_facts(state)

    def _take_pane(self, where: tuple[Any, ...], value: dict[str, Any]) -> None:
        if where not in self.panes or value["fence"] > self.panes[where][0]:
            self.panes[where] = value["fence"], value.get("facts", {})


def slow_facts(state: KeyedState[Any]) -> dict[tuple[Any, ...], dict[str, int]]:
    return {pane.id: dict(pane.facts) for cells in state.panes.slow.values() for pane in cells.values() if pane.facts}


def opened(offset: int, at: int) -> InputRecord:
    case = f"c{offset}"
    event = Event(
        type="contact.opened",
        occurred_at=at,
        event_id=f"e{offset}",
        case_id=case,
        origin=f"contacts-0@{offset}",
        contact_id=case,
        queue="billing",
        channel="phone",
        priority="urgent",
    )
    return InputRecord(canonical.encode(event), offset, key=case.encode())


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_at_every_status_the_slow_panes_are_all_there(steps: list[tuple[str, int]]) -> None:
    processor, topic, written = CasesProcessor(1, CASES), Topic(), list[tuple[bytes, bytes | None]]()
    state = processor.new_state(0)
    log: list[InputRecord] = [InputRecord(canonical.encode(Definitions(1, {"horizon_s": HORIZON_SECONDS})), 0)]
    now = BEGIN
    processor.handle(state, log)
    for step, amount in steps:
        if step == "open":
            log.append(opened(len(log), now - amount))
            processor.handle(state, log[-1:])
        elif step == "mark":
            now += amount
            log.append(InputRecord(canonical.encode(Mark({"contacts-0": now}, {"contacts": 1}, now)), len(log)))
            processor.handle(state, log[-1:])
        elif step == "publish":
            topic.take(processor.publish(state, whole=bool(amount)), state)
            if amount:
                cut = processor.checkpoint(state)
                written += [*cut.panes, *cut.rows, cut.marker]
        else:
            recovery = processor.recover(0)
            for key, value in written:
                recovery.absorb(key, value)
            state = recovery.complete()
            state.offset = max(state.offset, 0)
            processor.handle(state, log[state.offset :])
    before = topic.statuses
    state.published = state.stated = None
    topic.take(processor.publish(state), state)
    assert topic.statuses == before + 1

"""A rebuild ends what topics hold from before and the state does not."""

from __future__ import annotations

from typing import Any

import msgspec

from agents.cases import CasesProcessor
from models.durability.fence import pack, unpack
from models.durability.keyed import KeyedState
from models.durability.pane import PaneId
from models.panes.dimensions import Cell
from stream_app.state.rebuild import end_what_is_no_more
from stream_app.wire.keyed import CASES

CELL: Cell = ("billing", "phone", "high", "unset")
HOUR = 3_600_000
LIMIT = 10 * HOUR
GONE: PaneId = ("slow", 9 * HOUR, CELL)
LIVE: PaneId = ("slow", 10 * HOUR, CELL)


def processed(processor: CasesProcessor, offset: int = 50) -> KeyedState[Any]:
    state = processor.new_state(0)
    state.epoch, state.offset, state.panes.slow_limit = 1, offset, LIMIT
    return state


def published(processor: CasesProcessor, state: KeyedState[Any]) -> dict[tuple[str, Any], Any]:
    outputs = [output for output in processor.publish(state) if output.value is not None and output.key]
    return {(output.topic, output.key): msgspec.json.decode(output.value or b"") for output in outputs}


def test_a_pane_that_is_no_more_is_deleted_or_empty_under_the_new_epoch() -> None:
    processor = CasesProcessor(1, CASES)
    state = processed(processor)
    end_what_is_no_more(state, [], [GONE, LIVE])
    said = {msgspec.json.decode(key)[4]: value for (topic, key), value in published(processor, state).items() if key.startswith(b'["p"')}
    assert said == {9 * HOUR: {"fence": [1, 49], "deleted": True}, 10 * HOUR: {"fence": [1, 49], "facts": {}}}
    assert len(processor.checkpoint(state).panes) == 2


def test_later_facts_of_such_a_slice_count() -> None:
    processor = CasesProcessor(1, CASES)
    state = processed(processor)
    end_what_is_no_more(state, [], [LIVE])
    state.panes.add("opened", 10 * HOUR + 5, CELL, 1, pack(1, 50))
    state.panes.close_record(pack(1, 50))
    pane = state.panes.slow[10 * HOUR][CELL]
    assert (pane.facts, unpack(pane.fence), pane.deleted) == ({"opened": 1}, (1, 50), False)


def test_a_row_that_is_no_more_is_deleted_in_the_changelog_and_among_the_cases() -> None:
    processor = CasesProcessor(1, CASES)
    state = processed(processor)
    end_what_is_no_more(state, ["old"], [])
    assert published(processor, state)["cases", b"old"] == {"fence": [1, 49], "deleted": True}
    assert processor.checkpoint(state).rows == [(b"rold", CASES.deleted_row(pack(1, 49)))]


def test_what_the_state_has_is_left_alone() -> None:
    processor = CasesProcessor(1, CASES)
    state = processed(processor)
    state.panes.add("opened", 10 * HOUR, CELL, 1, pack(1, 7))
    state.panes.close_record(pack(1, 7))
    end_what_is_no_more(state, [], [LIVE])
    pane = state.panes.slow[10 * HOUR][CELL]
    assert (pane.facts, unpack(pane.fence)) == ({"opened": 1}, (1, 7))

"""The keyed machine by its rules, with the smallest logic there is: a row that counts and may want to be woken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from models.durability import keyed, rows
from models.durability.fence import Fence, pack, unpack
from models.durability.keyed import Decision, KeyedState, Logic, Message, RecordFailedError, TooManyFailuresError
from models.durability.panes import PaneStore
from models.durability.rows import RowStore
from models.events.canonical import Definitions, Mark
from models.panes.dimensions import Cell, Dimensions
from models.progress.watermark import NEVER, Progress

pytestmark = pytest.mark.replaces  # rows and logic are subclasses, and a compiled class has none

CELL: Cell = ("billing", "phone", "urgent", "unset")
T0 = 1_750_000_000_000
HOUR = 3_600_000
NEVER_WAKES = 2**62


class Row(rows.Row):
    def __init__(self) -> None:
        super().__init__()
        self.wants = NEVER_WAKES
        self.count = 0


def _written(row: Row) -> bytes:
    return b"%d" % row.count


def _read(key: str, value: bytes) -> Row:
    row = Row()
    row.count = int(value)
    return row


class Record:
    """``at`` when it happened; ``wake_at`` what it makes the row want; ``says`` what else the logic does."""

    def __init__(self, at: int = T0, wake_at: int = NEVER_WAKES, says: str = "") -> None:
        self.at = at
        self.wake_at = wake_at
        self.says = says


class Counting(Logic[Row]):
    """Logic: one fact per record and per waking."""

    def __init__(self) -> None:
        self.adopted: list[dict[str, Any]] = []
        self.concluded_under: list[int] = []
        self.noted = 0
        self.written_again: list[str] = []
        self.over = False
        self.wakes_fail = False
        self.concluded: list[str] = []

    def adopt(self, body: dict[str, Any], *, changed: bool) -> None:
        self.adopted.append(body)

    def note(self, record: Record) -> None:
        self.noted += 1

    def conclude(self, key: str, row: Row) -> None:
        row.wake_at = row.wants
        self.concluded.append(key)
        self.concluded_under.append(len(self.adopted))

    def occurred_at(self, record: Record) -> int:
        return record.at

    def rewritten(self, keys: Sequence[str]) -> None:
        self.written_again += keys

    def counted_before(self, row: Row | None, record: Record) -> str:
        return "applied"

    def apply(self, key: str, row: Row | None, record: Record, fence: Fence, progress: Progress) -> Decision[Row]:
        if record.says == "fail":
            raise RecordFailedError("bad record")
        if record.says == "nothing":
            return Decision(None, counted="refused")
        row = row or Row()
        row.count += 1
        row.wants = record.wake_at
        return Decision(row, [("facts", record.at, CELL, 1)], [Message("out", key, unpack(fence)[1])], over=record.says == "over")

    def wake(self, key: str, row: Row, fence: Fence, progress: Progress) -> Decision[Row]:
        if self.wakes_fail:
            raise RecordFailedError("bad waking")
        row.wants = NEVER_WAKES
        return Decision(row, [("fired", T0, CELL, 1)], [Message("out", key, unpack(fence)[1])], over=self.over)


def machine() -> tuple[KeyedState[Row], Counting]:
    logic = Counting()
    return KeyedState(0, logic, PaneStore(), Dimensions(), RowStore(_written, _read)), logic


def facts(state: KeyedState[Row]) -> dict[str, int]:
    return {key: amount for cells in state.panes.slow.values() for pane in cells.values() for key, amount in pane.facts.items()}


def mark(watermark: int) -> Mark:
    return Mark({"contacts-0": watermark}, {"contacts": 1}, watermark)


def fired_at(messages: list[Message]) -> list[int]:
    return [message.body for message in messages]


def test_a_record_is_applied_whole_under_its_own_fence() -> None:
    state, _ = machine()

    state.apply("c1", Record(), 7)

    (pane,) = state.panes.slow[T0 - T0 % HOUR].values()
    assert (state.rows["c1"].fence, pane.fence, state.offset) == (pack(0, 7), pack(0, 7), 8)
    assert facts(state) == {"facts": 1}


def test_a_record_at_or_below_the_fence_of_a_row_is_skipped() -> None:
    state, logic = machine()
    state.apply("c1", Record(), 7)

    assert state.apply("c1", Record(), 6) == state.apply("c1", Record(), 7) == []
    assert state.rows["c1"].count == 1
    assert logic.noted == 3, "values are noted for skipped records too"


def test_a_record_at_or_below_the_fence_of_a_deleted_row_is_skipped() -> None:
    state, _ = machine()
    state.graves["c1"] = pack(0, 7)

    assert state.apply("c1", Record(), 7) == []
    assert state.apply("c1", Record(), 8) != []


def test_conclusions_are_drawn_once_from_every_row_touched_since_the_last_time() -> None:
    state, logic = machine()
    state.apply("c1", Record(), 1)
    state.apply("c2", Record(), 2)
    state.apply("c1", Record(), 3)
    assert logic.concluded == []
    state.conclude()
    assert logic.concluded == ["c1", "c2"]
    state.conclude()
    assert logic.concluded == ["c1", "c2"]


def test_no_conclusions_are_drawn_from_a_row_that_is_over_by_then() -> None:
    state, logic = machine()
    state.apply("c1", Record(), 1)
    state.apply("c2", Record(), 2)
    state.apply("c1", Record(says="over"), 3)
    state.conclude()
    assert logic.concluded == ["c2"]


def test_a_record_older_than_the_horizon_is_counted_too_late_and_touches_nothing() -> None:
    state, _ = machine()
    state.panes.configure(HOUR, 2 * HOUR, fast=True)
    state.mark(mark(T0), 0)

    assert state.apply("c1", Record(T0 - 2 * HOUR - 1), 1) == []
    assert (list(state.rows), state.counters, facts(state)) == ([], {"too_late": 1}, {})
    assert state.apply("c1", Record(T0 - 2 * HOUR), 2) != []


def test_what_a_logic_refuses_is_counted_and_changes_nothing() -> None:
    state, _ = machine()

    state.apply("c1", Record(says="nothing"), 0)

    assert (list(state.rows), state.counters, state.unwritten) == ([], {"refused": 1}, {})


def test_a_record_that_fails_becomes_a_dead_letter_and_the_next_goes_on() -> None:
    state, _ = machine()

    (letter,) = state.apply("c1", Record(says="fail"), 0)

    assert (letter.topic, letter.body["reason"]) == ("dead-letters", "handler_error")
    assert state.apply("c1", Record(), 1) != []
    assert state.counters == {"handler_errors": 1, "applied": 1}


def test_record_after_record_that_fails_stops_the_program() -> None:
    state, _ = machine()
    for offset in range(keyed.REPEATED_FAILURES - 1):
        state.apply("c1", Record(says="fail"), offset)

    with pytest.raises(TooManyFailuresError, match=r"25 records in a row.*RecordFailedError"):
        state.apply("c1", Record(says="fail"), 99)


def test_a_timer_fires_at_the_first_mark_that_has_reached_it_as_part_of_that_record() -> None:
    state, _ = machine()
    state.apply("c1", Record(wake_at=T0 + 100), 0)

    assert state.mark(mark(T0 + 99), 1) == []
    assert fired_at(state.mark(mark(T0 + 100), 2)) == [2]
    assert state.mark(mark(T0 + 101), 3) == []
    assert state.rows["c1"].fence == pack(0, 2)


def test_a_timer_armed_behind_the_watermark_fires_at_the_next_mark_not_at_once() -> None:
    state, _ = machine()
    state.mark(mark(T0 + HOUR), 0)

    assert fired_at(state.apply("c1", Record(wake_at=T0), 1)) == [1]
    assert "fired" not in facts(state)
    assert fired_at(state.mark(mark(T0 + HOUR + 1), 2)) == [2]


def test_a_mark_that_does_not_move_the_watermark_fires_nothing() -> None:
    state, _ = machine()
    state.mark(mark(T0 + HOUR), 0)
    state.apply("c1", Record(wake_at=T0), 1)

    assert state.mark(mark(T0 + HOUR), 2) == []
    assert state.offset == 3


def test_a_timer_that_was_set_anew_does_not_fire_at_its_former_instant() -> None:
    state, _ = machine()
    state.apply("c1", Record(wake_at=T0 + 100), 0)
    state.apply("c1", Record(wake_at=T0 + 200), 1)

    assert state.mark(mark(T0 + 150), 2) == []
    assert fired_at(state.mark(mark(T0 + 200), 3)) == [3]


def test_a_row_ahead_of_a_mark_is_not_woken_by_it() -> None:
    """A replay passes marks that the recovered row has behind it."""
    state, _ = machine()
    state.apply("c1", Record(wake_at=T0), 9)
    state.offset = 5

    assert state.mark(mark(T0 + 1), 5) == []
    assert fired_at(state.mark(mark(T0 + 2), 10)) == [10]


def test_a_waking_that_fails_is_dead_lettered_and_not_tried_again() -> None:
    state, logic = machine()
    state.apply("c1", Record(wake_at=T0), 0)
    logic.wakes_fail = True

    (letter,) = state.mark(mark(T0), 1)

    assert letter.topic == "dead-letters"
    assert state.mark(mark(T0 + 1), 2) == []


def test_a_row_that_is_over_leaves_a_grave_with_the_marks_fence() -> None:
    state, logic = machine()
    logic.over = True
    state.apply("c1", Record(wake_at=T0), 0)

    state.mark(mark(T0), 1)

    assert (list(state.rows), state.graves) == ([], {"c1": pack(0, 1)})
    assert state.mark(mark(T0 + 1), 2) == [], "a timer without a row is nothing"


def test_graves_at_or_above_the_processed_offset_are_kept() -> None:
    state, _ = machine()
    state.graves = {"behind": pack(0, 4), "ahead": pack(0, 5)}
    state.offset = 5

    state.forget_graves()

    assert state.graves == {"ahead": pack(0, 5)}


def test_definitions_hold_from_their_record_on_and_only_a_higher_version_counts() -> None:
    state, logic = machine()

    state.define(Definitions(2, {"a": 1}), 0)
    state.define(Definitions(1, {"b": 1}), 1)

    assert (state.definitions.version, logic.adopted, state.offset) == (2, [{"a": 1}], 2)


def test_every_live_key_is_written_again_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 4)
    state, logic = machine()
    for number in range(10):
        state.apply(f"c{number}", Record(), number)
    state.rewrite()
    state.take_unwritten()
    state.published = (10, NEVER, 0)

    written = []
    for _ in range(6):
        state.rewrite()
        written.append(state.take_unwritten())

    assert sorted(key for keys in written for key in keys) == sorted(state.rows)
    assert sorted(logic.written_again) == sorted(state.rows)
    assert state.published is None, "levels and status are sent again too"


@pytest.mark.parametrize("turns", [(2, 2, 2), (3, 3), (1, 5, 1), (7,), (9, 1)])
def test_a_checkpoint_that_stands_for_several_writes_the_share_of_all_of_them(
    monkeypatch: pytest.MonkeyPatch, turns: tuple[int, ...]
) -> None:
    """A round begins at turn 4 and lasts four turns, however many checkpoints that are; the next one may have begun by then."""
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 4)
    state, _ = machine()
    for number in range(10):
        state.apply(f"c{number}", Record(), number)
    state.rewrite()
    state.take_unwritten()
    state.published = (10, NEVER, 0)

    written: set[str] = set()
    for passed in turns:
        state.rewrite(passed)
        written.update(state.take_unwritten())

    assert written == set(state.rows)
    assert state.published is None


def test_a_deletion_is_said_again_until_its_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 4)
    state, logic = machine()
    state.burials.bury("c1", pack(0, 3), 0)

    said = []
    for _ in range(5):
        _, over = state.rewrite()
        said.append((state.take_unwritten(), over))

    assert said == [([], []), (["c1"], []), ([], []), (["c1"], [("c1", pack(0, 3))]), ([], [])]
    assert state.graves == {"c1": pack(0, 3)}
    assert logic.written_again == ["c1", "c1"]


def test_conclusions_are_drawn_once_and_under_the_definitions_that_held_for_the_record() -> None:
    """Record │ record │ definitions │ mark: however late they are drawn, it is as if at once"""
    state, logic = machine()
    state.define(Definitions(1, {}), 0)
    state.apply("c1", Record(), 1)
    state.apply("c1", Record(), 2)

    state.define(Definitions(2, {}), 3)
    state.mark(mark(T0), 4)

    assert logic.concluded_under == [1]


def test_a_row_that_no_longer_wants_to_be_woken_is_not() -> None:
    state, _ = machine()
    state.apply("c1", Record(wake_at=T0 + 100), 1)
    state.conclude()
    state.apply("c1", Record(), 2)

    assert fired_at(state.mark(mark(T0 + 200), 3)) == []

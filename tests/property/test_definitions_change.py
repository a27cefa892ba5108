"""A change of definitions: a case counts as a whole under those of its last event or timer, whether its row was in memory or not."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.cases.fold import fold_all
from models.cases.row import CaseRow
from models.events.canonical import Definitions, Event
from models.panes.facts import total
from stream_app.wire.keyed import CASES
from tests.property.test_case_order import histories
from tests.support.case_events import CASE, DEFINITIONS, Desk

OTHER: dict[str, Any] = {
    **DEFINITIONS,
    "dimensions": {**DEFINITIONS["dimensions"], "queue": ["orders"], "priority": ["urgent"], "route": []},
    "queued_channels": ["email"],
    "service_level_target_s": 3,
    "reopen_window_d": 4 / 86_400,
    "sla": {"targets": {"first_reply": {"default": 3}, "resolution": {"urgent": 8}}, "pause_statuses": [], "warn_percent": 50},
}
ONE_RULE: dict[str, Any] = {**DEFINITIONS, "queued_channels": ["phone"], "service_level_target_s": 6, "horizon_s": 1_000_000}


class Told:
    """A desk that is told events and instants, changes its definitions, and may forget what is only in memory."""

    def __init__(self) -> None:
        self.desk = Desk(ONE_RULE)

    def tell(self, step: Event | int) -> None:
        if isinstance(step, Event):
            self.desk.tell(step)
        else:
            self.desk.pass_to(step)

    def change(self) -> None:
        self.desk.state.define(Definitions(2, OTHER), self.desk.state.offset)

    def forget(self) -> None:
        """The row is what stands in the changelog, as after a crash."""
        row = self.row
        if row is not None:
            self.desk.state.rows.keep_cold(CASE, CASES.row(row))

    @property
    def row(self) -> CaseRow | None:
        return self.desk.state.rows.get(CASE)

    @property
    def outcome(self) -> tuple[object, ...]:
        row, panes = self.row, self.desk.state.panes
        slow = {pane.id: pane.facts for cells in panes.slow.values() for pane in cells.values() if pane.facts}
        kept = row and (row.items, row.facts, row.fence, row.settled_to, row.wake_at, row.level, row.sent, row.verdicts, row.size)
        return kept, slow, [(message.topic, message.key, message.body) for message in self.desk.messages]


@st.composite
def changed_histories(draw: st.DrawFn) -> tuple[list[Event | int], int, int]:
    """Events and watermarks in the order of their arrival, where the definitions change, and where a crash may be."""
    _, arrival, watermarks, last = draw(histories())
    steps: list[Event | int] = list(arrival)
    for watermark in watermarks:
        steps.insert(draw(st.integers(0, len(steps))), watermark)
    steps.append(last)
    return steps, draw(st.integers(0, len(steps))), draw(st.integers(0, len(steps)))


@settings(deadline=None)
@given(changed_histories())
def test_a_case_counts_under_the_definitions_of_its_last_event_or_timer(history: tuple[list[Event | int], int, int]) -> None:
    steps, change, _ = history
    told = Told()
    for number, step in enumerate(steps):
        if number == change:
            told.change()
        before = told.row.fence if told.row is not None else 0
        told.tell(step)
        row = told.row
        if row is None or row.fence == before:
            continue
        fold = fold_all(row.items, told.desk.logic.rules, told.desk.state.dimensions, row.settled_to)
        assert row.facts == ({} if fold.exempt else total(fold.journal))


@settings(max_examples=300, deadline=None)
@given(changed_histories())
def test_it_means_the_same_for_a_row_in_memory_and_one_from_the_changelog(history: tuple[list[Event | int], int, int]) -> None:
    steps, change, crash = history
    lasting, crashing = Told(), Told()
    for number, step in enumerate(steps):
        for told in (lasting, crashing):
            if number == change:
                told.change()
        if number == crash:
            crashing.forget()
        for told in (lasting, crashing):
            told.tell(step)
    assert crashing.outcome == lasting.outcome


@settings(deadline=None)
@given(changed_histories())
def test_no_balance_is_left_in_a_cell_that_the_new_definitions_do_not_have(history: tuple[list[Event | int], int, int]) -> None:
    steps, change, _ = history
    told = Told()
    for number, step in enumerate(steps):
        if number == change:
            told.change()
        told.tell(step)
    row = told.row
    balances: dict[tuple[str, object], int] = {}
    for (key, _, cell), weight in (row.facts if row is not None else {}).items():
        if key.startswith("open_cases:"):
            balances[key, cell] = balances.get((key, cell), 0) + weight
    assert all(weight in {0, 1} for weight in balances.values())
    assert sum(balances.values()) <= 1

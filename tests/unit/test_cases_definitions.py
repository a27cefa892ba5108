"""A case under definitions that change: it counts as a whole under those of its last event or timer."""

from __future__ import annotations

from collections import Counter
from typing import Any

from models.events.canonical import Definitions
from tests.support.case_events import CASE, DEFINITIONS, HOUR, Desk, answered, called, closed, opened, replied, resolved

NO_BILLING: dict[str, Any] = {**DEFINITIONS, "dimensions": {**DEFINITIONS["dimensions"], "queue": ["orders"]}}
SHORTER: dict[str, Any] = {**DEFINITIONS, "sla": {"targets": {"first_reply": {"normal": 600}}, "warn_percent": 75}}
LONGER: dict[str, Any] = {**DEFINITIONS, "sla": {"targets": {"first_reply": {"normal": 3 * HOUR}}, "warn_percent": 75}}
STRICT: dict[str, Any] = {**DEFINITIONS, "service_level_target_s": 5}


def change(desk: Desk, body: dict[str, Any]) -> Desk:
    desk.state.define(Definitions(desk.state.definitions.version + 1, body), desk.state.offset)
    return desk


def counts(desk: Desk, queue: str | None = None) -> Counter[str]:
    """Facts in the panes, over all instants; of one queue or all."""
    found: Counter[str] = Counter()
    for cells in desk.state.panes.slow.values():
        for cell, pane in cells.items():
            if queue in {None, cell[0]}:
                found.update(pane.facts)
    return found


def test_a_case_that_nothing_touches_keeps_what_it_counted() -> None:
    desk = change(Desk().tell(called(0), answered(10)), STRICT)
    assert counts(desk)["queue_answered_within"] == 1


def test_the_next_event_counts_the_whole_case_under_the_new_ones() -> None:
    desk = change(Desk().tell(called(0), answered(10)), STRICT).tell(resolved(20))
    assert counts(desk)["queue_answered_within"] == 0


def test_a_balance_moves_with_its_case_into_the_cell_of_the_new_dimensions() -> None:
    """It would stay in the old cell for ever, and the new one would go below zero."""
    desk = change(Desk().tell(opened(0)), NO_BILLING).tell(closed(20))
    assert counts(desk, "billing") == Counter()
    assert counts(desk, "other")["opened"] == 1
    assert min(counts(desk, "other").values()) >= 0


def test_a_shorter_target_that_has_passed_is_a_breach_when_the_next_event_comes_and_counts_once() -> None:
    """Opened ── 10 min: new target ── 20 min: watermark │ definitions │ reply ── mark"""
    desk = change(Desk().tell(opened(0)).pass_to(1_200), SHORTER).tell(replied(1_300)).pass_to(1_400)
    assert "first_reply breached" in desk.kinds()
    assert (counts(desk)["sla_breached:first_reply"], counts(desk)["sla_met:first_reply"]) == (1, 0)


def test_a_longer_target_takes_a_breach_back_and_the_case_may_still_meet_it() -> None:
    desk = Desk().tell(opened(0)).pass_to(2 * HOUR)
    assert counts(desk)["sla_breached:first_reply"] == 1
    change(desk, LONGER).tell(replied(2 * HOUR + 60)).pass_to(4 * HOUR)
    assert desk.kinds()[-2:] == ["first_reply retracted", "first_reply met"]
    assert (counts(desk)["sla_breached:first_reply"], counts(desk)["sla_met:first_reply"]) == (0, 1)


def test_a_timer_counts_the_whole_case_under_the_new_ones_too() -> None:
    desk = change(Desk().tell(opened(0)), NO_BILLING).pass_to(2 * HOUR)
    assert counts(desk, "billing") == Counter()
    assert counts(desk, "other")["sla_breached:first_reply"] == 1


def test_a_case_that_begins_under_the_new_ones_is_counted_step_by_step() -> None:
    desk = change(Desk(), NO_BILLING).tell(opened(0), resolved(20), closed(30))
    assert counts(desk, "other")["resolved"] == 1
    assert desk.state.rows[CASE].booked is desk.logic.rules

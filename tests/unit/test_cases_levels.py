"""Levels of cases as time passes, and the end of a row."""

from __future__ import annotations

from typing import Any

import pytest

from models.cases.take import next_wake
from tests.support.case_events import (
    CELL,
    DAY,
    HOUR,
    MINUTE,
    Case,
    Desk,
    at_ms,
    called,
    closed,
    customer_wrote,
    flagged,
    opened,
    priority,
    reopened,
    replied,
    resolved,
    status,
)

HORIZON = 35 * DAY


def ages(desk: Desk) -> dict[str, int]:
    return {name: count for name, count in desk.levels().items() if name.startswith("age:")}


# -- backlog and age --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "age"),
    [
        (4 * HOUR - 1, "age:lt4h"),
        (4 * HOUR, "age:lt1d"),
        (DAY, "age:lt3d"),
        (3 * DAY, "age:lt7d"),
        (7 * DAY - 1, "age:lt7d"),
        (7 * DAY, "age:older"),
        (70 * DAY, "age:older"),
    ],
)
def test_a_case_grows_old_as_the_watermark_moves(at: float, age: str) -> None:
    assert ages(Desk().tell(opened(0)).pass_to(at)) == {age: 1}


def test_a_case_ages_step_by_step_too() -> None:
    desk = Desk().tell(opened(0))
    for at, age in ((1, "age:lt4h"), (5 * HOUR, "age:lt1d"), (DAY, "age:lt3d"), (3 * DAY, "age:lt7d"), (8 * DAY, "age:older")):
        assert ages(desk.pass_to(at)) == {age: 1}


def test_backlog_goes_by_status_and_a_resolved_case_has_no_age() -> None:
    desk = Desk().tell(opened(0), status(5, "on_hold"))
    assert desk.levels()["backlog:on_hold"] == 1
    desk.tell(resolved(6))
    assert desk.levels() == {"backlog:resolved": 1}
    desk.tell(closed(7))
    assert desk.levels() == {}


def test_an_exempt_case_is_in_no_level() -> None:
    assert Desk().tell(opened(0), flagged(5, "spam")).levels() == {}


def test_a_case_without_an_opening_is_in_no_level() -> None:
    assert dict(Desk().tell(replied(5), resolved(6)).logic.levels.cells()) == {}


def test_a_case_that_changes_its_cell_leaves_the_old_one() -> None:
    desk = Desk().tell(opened(0), priority(5, "urgent"))
    assert desk.levels() == {}
    assert desk.levels(("billing", "email", "urgent", "unset"))["backlog:open"] == 1


# -- awaiting ---------------------------------------------------------------------------------------------


def test_someone_waits_from_the_opening_to_the_reply_and_from_the_next_message_on() -> None:
    desk = Desk().tell(opened(0))
    assert (desk.levels()["awaiting"], desk.levels()["oldest_awaiting_at"]) == (1, at_ms(0))
    assert "awaiting" not in desk.tell(replied(5)).levels()
    desk.tell(customer_wrote(8), customer_wrote(9))
    assert desk.levels()["oldest_awaiting_at"] == at_ms(8)


def test_nobody_waits_for_a_resolved_case_until_it_is_reopened() -> None:
    """Then since the message that was written while it was resolved."""
    desk = Desk().tell(opened(0), resolved(5), customer_wrote(6))
    assert "awaiting" not in desk.levels()
    desk.tell(reopened(7))
    assert desk.levels()["oldest_awaiting_at"] == at_ms(6)


# -- clocks -----------------------------------------------------------------------------------------------


def clocks(desk: Desk) -> dict[str, int]:
    return {name: count for name, count in desk.levels().items() if name.startswith("sla_")}


def test_a_clock_is_running_then_at_risk_then_overdue_then_gone() -> None:
    desk = Desk().tell(opened(0, due_resolution=at_ms(99 * DAY)))
    running = {"sla_running:resolution": 1}
    assert clocks(desk) == running | {"sla_running:first_reply": 1}
    assert clocks(desk.pass_to(45 * MINUTE)) == running | {"sla_running:first_reply": 1, "sla_at_risk:first_reply": 1}
    assert clocks(desk.pass_to(HOUR)) == running | {"sla_overdue:first_reply": 1}
    assert clocks(desk.tell(replied(2 * HOUR))) == running


def test_a_paused_clock_is_neither_running_nor_overdue() -> None:
    desk = Desk().tell(opened(0), replied(1), status(5, "pending_customer")).pass_to(99 * HOUR)
    assert clocks(desk) == {}


def test_a_passed_clock_that_time_has_not_confirmed_is_at_risk() -> None:
    #    due ┊ 1 h ──● event 2 h, watermark still at 30 min
    desk = Desk().tell(opened(0)).pass_to(30 * MINUTE).tell(customer_wrote(2 * HOUR))
    assert clocks(desk)["sla_at_risk:first_reply"] == 1
    assert desk.logic.levels.next_to_breach()[0]["at_risk"] is True


# -- timers -----------------------------------------------------------------------------------------------


def wake(case: Case) -> float:
    return (next_wake(case.row.warm(case.rules, case.dimensions), case.rules) - at_ms(0)) / 1000


def test_a_case_wakes_for_whatever_comes_first() -> None:
    case = Case(called(0))
    for at in (20, 45 * MINUTE, HOUR, 3 * HOUR, 4 * HOUR, DAY, 3 * DAY, 7 * DAY):
        assert wake(case) == at
        case.pass_to(at)
    assert wake(case) > 1e12  # nothing more to wait for while it is open


def test_a_verdict_that_the_watermark_has_yet_to_confirm_is_waited_for() -> None:
    assert wake(Case(called(0), replied(30))) == 20


def test_an_exempt_case_wakes_only_to_go() -> None:
    assert wake(Case(opened(0), flagged(5, "spam"))) == HORIZON + 5.001


# -- the end of a row -------------------------------------------------------------------------------------


def test_a_settled_case_goes_when_its_last_event_is_older_than_the_horizon() -> None:
    desk = Desk().tell(opened(0), closed(5)).pass_to(HORIZON + 5)
    assert list(desk.state.rows) == ["case-1"]
    desk.pass_to(HORIZON + 5.001)
    assert not desk.state.rows
    assert desk.logic.case_record("case-1", None, 9) == {"fence": (0, 9), "deleted": True}


def test_a_resolved_case_counts_as_closed_when_its_last_event_is_older_than_the_horizon() -> None:
    case = Case(opened(0), resolved(5)).pass_to(HORIZON + 5)
    assert not case.over
    case.pass_to(HORIZON + 6)
    assert case.over
    assert case.dated("open_cases:resolved") == [(5, CELL), (HORIZON + 5, CELL)]
    assert case.counts["open_cases:resolved"] == 0


def test_its_level_goes_with_it() -> None:
    desk = Desk().tell(opened(0), resolved(5)).pass_to(HORIZON + 6)
    assert dict(desk.logic.levels.cells()) == {}


@pytest.mark.parametrize("events", [[opened(0)], [opened(0), resolved(5), reopened(6)], [opened(0), status(3, "on_hold")]])
def test_an_unresolved_case_never_goes(events: list[Any]) -> None:
    assert not Case(*events).pass_to(10 * HORIZON).over


@pytest.mark.parametrize("events", [[replied(5)], [status(5, "on_hold")], [opened(0), flagged(5, "spam")]])
def test_a_case_that_never_opened_or_is_exempt_goes_after_the_horizon(events: list[Any]) -> None:
    assert Case(*events).pass_to(HORIZON + 6).over


def test_a_resolved_case_without_an_opening_has_no_balance_to_give_back() -> None:
    case = Case(resolved(5)).pass_to(HORIZON + 6)
    assert case.over
    assert case.instants("open_cases:resolved") == []


def test_no_case_goes_while_a_verdict_is_out() -> None:
    #    opened ●──● closed ── T ┊ 20 s: its contact is still to be counted as having reached T
    assert wake(Case(called(0), closed(5))) == 20


def test_an_event_older_than_the_horizon_touches_nothing() -> None:
    desk = Desk().tell(opened(100)).pass_to(100 + HORIZON)
    desk.tell(replied(99), replied(100))
    assert desk.state.counters["too_late"] == 1
    assert len(desk.state.rows["case-1"].items) == 2

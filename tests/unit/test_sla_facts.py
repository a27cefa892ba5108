"""Verdicts of a case: met, breached once the watermark confirms it, paused, re-targeted, taken back.

Targets: first reply 10 min urgent, 1 h normal; resolution 1 h urgent, 4 h normal; low has none.
"""

from __future__ import annotations

from tests.support.case_events import (
    CELL,
    HOUR,
    MINUTE,
    Case,
    at_ms,
    closed,
    customer_wrote,
    opened,
    priority,
    reopened,
    replied,
    resolved,
    status,
    transferred,
)

URGENT = ("billing", "email", "urgent", "unset")


def verdicts(case: Case) -> dict[str, int]:
    return {key: count for key, count in case.counts.items() if key.startswith("sla_")}


# -- met --------------------------------------------------------------------------------------------------


def test_a_reply_at_the_due_instant_meets_the_target_and_is_dated_there() -> None:
    #    opened ●────────────── 1 h ─● reply
    case = Case(opened(0), replied(HOUR)).pass_to(2 * HOUR)
    assert case.dated("sla_met:first_reply") == [(HOUR, CELL)]
    assert verdicts(case) == {"sla_met:first_reply": 1}


def test_a_resolution_fulfils_both_clocks_if_no_reply_came_first() -> None:
    case = Case(opened(0), resolved(60), replied(90)).pass_to(9 * HOUR)
    assert case.instants("sla_met:first_reply") == case.instants("sla_met:resolution") == [60]


def test_closing_is_a_resolution_to_the_clocks() -> None:
    assert verdicts(Case(opened(0), closed(60))) == {"sla_met:first_reply": 1, "sla_met:resolution": 1}


def test_no_reopening_changes_a_verdict() -> None:
    case = Case(opened(0), resolved(60), reopened(90)).pass_to(99 * HOUR)
    assert verdicts(case) == {"sla_met:first_reply": 1, "sla_met:resolution": 1}


# -- breached ---------------------------------------------------------------------------------------------


def test_a_breach_is_counted_once_the_watermark_is_at_the_due_instant_and_not_before() -> None:
    case = Case(opened(0))
    assert verdicts(case.pass_to(HOUR - 0.001)) == {}
    assert case.pass_to(HOUR).dated("sla_breached:first_reply") == [(HOUR, CELL)]


def test_a_reply_a_moment_too_late_is_a_breach_at_the_due_instant() -> None:
    case = Case(opened(0), replied(HOUR + 0.001))
    assert verdicts(case.pass_to(HOUR - 1)) == {}  # certain only when the watermark has passed
    assert verdicts(case.pass_to(HOUR)) == {"sla_breached:first_reply": 1}


def test_a_breach_carries_the_cell_of_the_due_instant() -> None:
    #    opened ●───● orders ─── due ┊ ───● returns
    case = Case(opened(0), transferred(60, "orders"), transferred(HOUR + 60, "returns")).pass_to(2 * HOUR)
    assert case.dated("sla_breached:first_reply") == [(HOUR, ("orders", *CELL[1:]))]


def test_a_reply_in_time_that_arrives_late_turns_the_breach_into_met() -> None:
    case = Case(opened(0)).pass_to(2 * HOUR)
    case.tell(replied(HOUR - 1))
    assert verdicts(case) == {"sla_met:first_reply": 1}


def test_a_reply_at_the_confirmed_due_instant_still_counts() -> None:
    case = Case(opened(0)).pass_to(HOUR)
    case.tell(replied(HOUR))
    assert verdicts(case) == {"sla_met:first_reply": 1}


# -- pauses -----------------------------------------------------------------------------------------------


def test_a_pause_moves_the_resolution_but_never_the_first_reply() -> None:
    #    opened ●──● pending ┄┄┄ 2 h ┄┄┄● open ──────── due 4 h + 2 h
    case = Case(opened(0), status(HOUR, "pending_customer"), status(3 * HOUR, "open")).pass_to(9 * HOUR)
    assert case.instants("sla_breached:first_reply") == [HOUR]
    assert case.instants("sla_breached:resolution") == [6 * HOUR]


def test_a_status_that_pauses_nothing_lets_the_clock_run() -> None:
    case = Case(opened(0), status(HOUR, "on_hold"), status(3 * HOUR, "open")).pass_to(9 * HOUR)
    assert case.instants("sla_breached:resolution") == [4 * HOUR]


def test_while_paused_nothing_is_due() -> None:
    case = Case(opened(0), replied(1), status(HOUR, "pending_customer")).pass_to(999 * HOUR)
    assert verdicts(case) == {"sla_met:first_reply": 1}
    case.tell(resolved(1_000 * HOUR))
    assert verdicts(case) == {"sla_met:first_reply": 1, "sla_met:resolution": 1}


def test_a_message_of_the_customer_resumes_until_the_next_status_change_even_to_the_same_status() -> None:
    #    ● 0 ──● 1 h pending ┄┄● 2 h customer ──● 3 h pending ┄┄● 5 h open ── due 4 h + 1 h + 2 h
    events = [
        status(HOUR, "pending_customer"),
        customer_wrote(2 * HOUR),
        status(3 * HOUR, "pending_customer"),
        status(5 * HOUR + 1, "open"),
    ]
    case = Case(opened(0), replied(1), *events).pass_to(9 * HOUR)
    assert case.instants("sla_breached:resolution") == [7 * HOUR + 1]


def test_a_reopening_before_any_resolution_resumes_the_clock() -> None:
    case = Case(opened(0), replied(1), status(HOUR, "pending_customer"), reopened(2 * HOUR)).pass_to(9 * HOUR)
    assert case.instants("sla_breached:resolution") == [5 * HOUR]


# -- other targets ----------------------------------------------------------------------------------------


def test_a_higher_priority_counts_from_the_start() -> None:
    case = Case(opened(0), priority(60, "urgent")).pass_to(9 * HOUR)
    assert case.dated("sla_breached:first_reply") == [(10 * MINUTE, URGENT)]
    assert case.instants("sla_breached:resolution") == [HOUR]


def test_a_target_that_is_over_already_is_due_when_it_was_given() -> None:
    case = Case(opened(0), priority(30 * MINUTE, "urgent")).pass_to(9 * HOUR)
    assert case.dated("sla_breached:first_reply") == [(30 * MINUTE, URGENT)]


def test_a_priority_without_a_target_ends_the_clock_without_a_verdict() -> None:
    assert verdicts(Case(opened(0), priority(60, "low"), resolved(90)).pass_to(99 * HOUR)) == {}
    assert verdicts(Case(opened(0, priority="low"), priority(60, "urgent")).pass_to(99 * HOUR)) == {}


def test_instants_given_by_the_source_outrank_policy_pauses_and_priority() -> None:
    promised = opened(0, due_first_reply=at_ms(2 * HOUR), due_resolution=at_ms(3 * HOUR))
    case = Case(promised, status(60, "pending_customer"), priority(90, "urgent")).pass_to(9 * HOUR)
    assert case.instants("sla_breached:first_reply") == [2 * HOUR]
    assert case.instants("sla_breached:resolution") == [3 * HOUR]


def test_a_promise_that_was_over_at_the_opening_is_a_breach_dated_there() -> None:
    case = Case(opened(60, due_first_reply=at_ms(30)), replied(60)).pass_to(90)
    assert case.instants("sla_breached:first_reply") == [30]


def test_without_an_opening_there_is_no_clock() -> None:
    assert verdicts(Case(replied(1), priority(2, "urgent"), customer_wrote(3), resolved(4)).pass_to(99 * HOUR)) == {}

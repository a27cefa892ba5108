"""What is said outside about clocks: at_risk, breached, met, retracted; each once, with revisions."""

from __future__ import annotations

from typing import Any

from models.panes.dimensions import Dimensions
from models.sla.clock import Clock
from models.sla.verdicts import UNSAID, kind_of, statements
from tests.support.case_events import HOUR, MINUTE, Case, Desk, at_ms, flagged, opened, priority, replied, resolved, status


def of(desk: Desk, kind: str, metric: str = "first_reply") -> dict[str, Any]:
    (body,) = [body for body in desk.said("sla-events") if (body["kind"], body["metric"]) == (kind, metric)]
    assert isinstance(body, dict)
    return body


def test_a_warning_then_a_breach_each_once_and_only_when_the_watermark_says_so() -> None:
    #    opened ●──────── 75 % ┊ 45 min ──── due ┊ 1 h
    desk = Desk().tell(opened(0)).pass_to(45 * MINUTE - 1)
    assert desk.kinds() == []
    desk.pass_to(45 * MINUTE).pass_to(50 * MINUTE)
    assert desk.kinds() == ["first_reply at_risk"]
    desk.pass_to(HOUR - 1)
    assert desk.kinds() == ["first_reply at_risk"]
    desk.pass_to(HOUR).pass_to(2 * HOUR)
    assert desk.kinds() == ["first_reply at_risk", "first_reply breached"]


def test_a_breach_says_when_it_was_due_and_when_it_was_detected() -> None:
    desk = Desk().tell(opened(0)).pass_to(HOUR + 30)
    assert of(desk, "breached") == {
        "id": "case-1:first_reply:breached:1",
        "case_id": "case-1",
        "metric": "first_reply",
        "cycle": 1,
        "kind": "breached",
        "due_at": at_ms(HOUR),
        "fulfilled_at": None,
        "detected_at": at_ms(HOUR + 35),
        "target_seconds": HOUR,
        "overrun_seconds": None,
        "policy": "targets",
        "revision": 1,
        "confirmed": True,
        "queue": "billing",
        "channel": "email",
        "priority": "normal",
        "team": "unset",
        "reason": "",
        "alert": True,
    }


def test_met_is_said_at_once_and_knows_no_clock_before_the_first_mark() -> None:
    desk = Desk().tell(opened(0), replied(90))
    body = of(desk, "met")
    assert (body["fulfilled_at"], body["overrun_seconds"], body["detected_at"]) == (at_ms(90), 0, None)


def test_a_reply_in_time_that_arrives_late_retracts_the_breach_and_says_met_with_the_next_revision() -> None:
    desk = Desk().tell(opened(0)).pass_to(2 * HOUR).tell(replied(90))
    assert desk.kinds()[-2:] == ["first_reply retracted", "first_reply met"]
    retracted, met = of(desk, "retracted"), of(desk, "met")
    assert (retracted["revision"], retracted["reason"]) == (1, "late_event")
    assert (met["revision"], met["id"]) == (2, "case-1:first_reply:met:2")


def test_a_late_event_can_take_a_met_back_until_time_decides() -> None:
    #    opened ●─● urgent (late) ───── due 10 min ┊ ──● reply 20 min
    desk = Desk().tell(opened(0), replied(20 * MINUTE)).pass_to(5 * MINUTE).tell(priority(60, "urgent"))
    assert desk.kinds() == ["first_reply met", "first_reply retracted"]
    desk.pass_to(10 * MINUTE)
    assert desk.kinds()[-1] == "first_reply breached"
    assert of(desk, "breached")["overrun_seconds"] == 10 * MINUTE
    assert of(desk, "breached")["revision"] == 2


def test_a_breach_taken_back_by_a_longer_target_warns_again() -> None:
    desk = Desk().tell(opened(0, priority="urgent"), replied(1)).pass_to(3 * HOUR).tell(priority(MINUTE, "normal"))
    assert [kind for kind in desk.kinds() if kind.startswith("resolution")] == [
        "resolution breached",
        "resolution retracted",
        "resolution at_risk",
    ]


def test_an_exempt_case_retracts_what_was_said_and_says_no_more() -> None:
    desk = Desk().tell(opened(0)).pass_to(2 * HOUR).tell(flagged(3 * HOUR, "spam")).pass_to(99 * HOUR)
    assert desk.kinds() == ["first_reply breached", "first_reply retracted"]
    assert of(desk, "retracted")["reason"] == "exempt"


def test_a_case_that_never_opened_has_no_clock_to_speak_of() -> None:
    desk = Desk().tell(replied(0)).pass_to(99 * HOUR).tell(flagged(100 * HOUR, "spam"))
    assert desk.kinds() == []


def test_historical_events_never_alert() -> None:
    desk = Desk().tell(opened(0, flags=("historical",))).pass_to(2 * HOUR)
    assert of(desk, "breached")["alert"] is False


def test_a_promise_of_the_source_is_named_as_the_policy() -> None:
    desk = Desk().tell(opened(0, priority="low", due_first_reply=at_ms(60))).pass_to(90)
    body = of(desk, "breached")
    assert (body["policy"], body["target_seconds"]) == ("source", None)


def test_met_while_paused_has_no_due_instant() -> None:
    desk = Desk().tell(opened(0), status(60, "pending_customer"), resolved(90))
    body = of(desk, "met", "resolution")
    assert (body["due_at"], body["overrun_seconds"]) == (None, None)


def test_a_paused_clock_does_not_warn() -> None:
    desk = Desk().tell(opened(0), replied(1), status(60, "pending_customer")).pass_to(99 * HOUR)
    assert desk.kinds() == ["first_reply met"]


def test_a_stalled_log_confirms_no_breach() -> None:
    #    the last mark stands before the due instant: however long ago that was, nothing is certain
    desk = Desk().tell(opened(0)).pass_to(30 * MINUTE)
    desk.tell(opened(9 * HOUR, case_id="case-2"))
    assert desk.kinds() == []


def test_nothing_is_certain_about_a_passed_clock_before_the_watermark() -> None:
    clock = Clock("first_reply", 0, 100, None)
    clock.expire()
    assert kind_of(clock, 99) == ""
    assert kind_of(clock, 100) == "breached"
    assert list(statements(clock, UNSAID, 99, 0.75, exempt=False)) == []


def test_verdicts_survive_a_recovery_from_the_items() -> None:
    case = Case(opened(0)).pass_to(2 * HOUR)
    case.row.fold = None
    warm = case.row.warm(case.rules, Dimensions())
    assert warm.reply_clock is not None
    assert kind_of(warm.reply_clock, case.row.settled_to) == "breached"

"""How one row after the other of the ServiceNow log becomes events."""

from __future__ import annotations

from stream_app.feeds.feed import InputEvent
from stream_app.feeds.uci498 import incident_events, minute_instant

FIRST = {
    "number": "INC1",
    "incident_state": "New",
    "reassignment_count": "0",
    "reopen_count": "0",
    "sys_mod_count": "0",
    "caller_id": "Caller 7",
    "opened_at": "1/3/2016 09:00",
    "sys_updated_at": "1/3/2016 09:05",
    "sys_updated_by": "Updated by 3",
    "contact_type": "Self service",
    "category": "Category 5",
    "priority": "3 - Moderate",
    "assignment_group": "Group 2",
    "resolved_at": "1/3/2016 10:00",
    "closed_at": "2/3/2016 10:00",
    "closed_code": "code 6",
    "resolved_by": "Resolved by 1",
}
MINUTE = 60_000


def events_of(*changes: dict[str, str]) -> list[InputEvent]:
    rows, row = [], FIRST
    for change in changes:
        row = row | change
        rows.append(row)
    return list(incident_events(rows))


def at(minute: str) -> dict[str, str]:
    return {"sys_updated_at": f"1/3/2016 {minute}"}


def kinds(events: list[InputEvent]) -> list[object]:
    return [event["type"] for event in events]


def test_dates_are_day_first_and_utc() -> None:
    assert minute_instant("29/2/2016 01:16") == 1_456_708_560_000


def test_opening_takes_its_dimensions_from_the_first_row() -> None:
    (opening,) = events_of({})
    assert opening == {
        "event_id": "INC1-000",
        "type": "contact.opened",
        "occurred_at": minute_instant("1/3/2016 09:00"),
        "case_id": "INC1",
        "contact_id": "INC1",
        "channel": "self_service",
        "customer_id": "Caller 7",
        "priority": "normal",
        "reason": "Category 5",
        "queue": "Group 2",
    }


def test_question_marks_are_missing_values() -> None:
    (opening,) = events_of({"caller_id": "?", "assignment_group": "?", "category": "?"})
    assert not {"customer_id", "queue"} & opening.keys()
    assert opening["reason"] == "uncategorised"


def test_back_filled_columns_never_show() -> None:
    events = events_of({}, {"incident_state": "Resolved", **at("09:10")}, {"incident_state": "Closed", **at("09:20")})
    told = {str(value) for event in events for value in event.values()}
    assert not told & {"code 6", "Resolved by 1", str(minute_instant("1/3/2016 10:00")), str(minute_instant("2/3/2016 10:00"))}


def test_first_answer_is_the_first_state_other_than_new_and_the_only_one() -> None:
    events = events_of({}, {"incident_state": "Active", **at("09:10")}, {"incident_state": "Awaiting Vendor", **at("09:20")})
    answers = [event for event in events if event["type"] == "message.representative"]
    assert [(answer["occurred_at"], answer["public"]) for answer in answers] == [(minute_instant("1/3/2016 09:10"), True)]


def test_state_minus_100_says_nothing() -> None:
    events = events_of({}, {"incident_state": "-100", **at("09:10")}, {"incident_state": "Active", **at("09:20")})
    assert [(event["type"], event["occurred_at"]) for event in events[1:]] == [("message.representative", minute_instant("1/3/2016 09:20"))]


def test_waiting_pauses_and_active_opens_again() -> None:
    events = events_of(
        {"incident_state": "Active"},
        {"incident_state": "Awaiting User Info", **at("09:10")},
        {"incident_state": "Awaiting Problem", **at("09:20")},
        {"incident_state": "Active", **at("09:30")},
    )
    assert [event["status"] for event in events if event["type"] == "case.status_changed"] == [
        "pending_customer",
        "pending_third_party",
        "open",
    ]


def test_resolved_counts_when_the_state_becomes_it() -> None:
    resolved = {"incident_state": "Resolved"}
    events = events_of({}, resolved | at("09:10"), resolved | at("09:20"), {"incident_state": "Closed", **at("09:30")})
    assert kinds(events)[-2:] == ["case.resolved", "case.closed"]


def test_rising_reopen_count_is_a_reopening_and_not_also_a_status() -> None:
    events = events_of({"incident_state": "Resolved"}, {"incident_state": "Active", "reopen_count": "1", **at("09:10")})
    assert kinds(events)[-2:] == ["case.resolved", "case.reopened"]


def test_state_into_which_a_case_is_reopened_comes_after_the_reopening() -> None:
    events = events_of({"incident_state": "Resolved"}, {"incident_state": "Awaiting User Info", "reopen_count": "1", **at("09:10")})
    reopened, waiting = events[-2:]
    assert (reopened["type"], waiting["type"]) == ("case.reopened", "case.status_changed")
    assert waiting["occurred_at"] == minute_instant("1/3/2016 09:10") + 1


def test_change_of_group_or_rising_count_is_a_transfer() -> None:
    events = events_of(
        {},
        {"assignment_group": "Group 9", "reassignment_count": "1", **at("09:10")},
        {"reassignment_count": "2", **at("09:20")},
        {"assignment_group": "?", "reassignment_count": "3", **at("09:30")},
    )
    assert [event["to_queue"] for event in events[1:]] == ["Group 9", "Group 9", "unset"]


def test_change_of_priority_is_told() -> None:
    events = events_of({}, {"priority": "1 - Critical", **at("09:10")})
    assert (events[-1]["type"], events[-1]["priority"]) == ("case.priority_changed", "urgent")


def test_updates_of_the_same_minute_keep_their_order_by_a_millisecond_each() -> None:
    events = events_of(
        {"incident_state": "Awaiting User Info"},
        {"incident_state": "Resolved", **at("09:10")},
        {"incident_state": "Active", "reopen_count": "1", **at("09:10")},
        {"incident_state": "Resolved", **at("09:10")},
    )
    start = minute_instant("1/3/2016 09:10")
    assert [(event["type"], event["occurred_at"]) for event in events[-3:]] == [
        ("case.resolved", start),
        ("case.reopened", start + 1),
        ("case.resolved", start + 2),
    ]


def test_event_ids_are_the_same_every_time_and_rise_within_the_incident() -> None:
    changes: list[dict[str, str]] = [{}, {"incident_state": "Resolved", **at("09:10")}]
    ids = [event["event_id"] for event in events_of(*changes)]
    assert ids == [event["event_id"] for event in events_of(*changes)] == sorted(str(one) for one in ids)


def test_row_out_of_place_does_not_open_a_resolved_incident_again() -> None:
    events = events_of({}, {"incident_state": "Resolved", **at("09:10")}, {"incident_state": "New", **at("09:20")})
    assert kinds(events)[-1] == "case.resolved"

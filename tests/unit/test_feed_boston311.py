"""How one service request becomes events."""

from __future__ import annotations

from datetime import UTC, datetime

from stream_app.feeds.boston311 import SNAPSHOT, local_instant, request_events

ROW = {
    "case_enquiry_id": "101",
    "open_dt": "2015-01-01T00:20:09",
    "target_dt": "2015-07-02T08:30:00",
    "closed_dt": "2015-01-02T09:08:42",
    "closure_kind": "noted",
    "source": "Constituent Call",
    "queue": "INFO09",
    "reason": "Notification",
    "department": "INFO",
}


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc,arg-type]


def test_wall_times_are_boston_winter_and_summer() -> None:
    opening, resolution = request_events(ROW)
    assert opening["occurred_at"] == utc(2015, 1, 1, 5, 20, 9)
    assert opening["due"] == {"resolution": utc(2015, 7, 2, 12, 30)}
    assert resolution["occurred_at"] == utc(2015, 1, 2, 14, 8, 42)


def test_wall_time_that_occurs_twice_is_read_as_the_first_of_the_two() -> None:
    assert local_instant("2015-11-01T01:16:00") == utc(2015, 11, 1, 5, 16)


def test_opening_names_channel_queue_team_and_reason() -> None:
    opening, _ = request_events(ROW)
    named = {name: opening[name] for name in ("channel", "queue", "team", "reason", "case_id", "contact_id")}
    assert named == {
        "channel": "Constituent Call",
        "queue": "INFO09",
        "team": "INFO",
        "reason": "Notification",
        "case_id": "101",
        "contact_id": "101",
    }


def test_resolution_says_how_the_request_was_closed() -> None:
    _, resolution = request_events(ROW)
    assert (resolution["type"], resolution["resolution_code"]) == ("case.resolved", "noted")


def test_request_without_target_has_no_due_instant() -> None:
    opening, _ = request_events(ROW | {"target_dt": ""})
    assert "due" not in opening


def test_open_request_has_no_resolution() -> None:
    assert len(list(request_events(ROW | {"closed_dt": "", "closure_kind": ""}))) == 1


def test_snapshot_is_midnight_in_boston() -> None:
    assert int(SNAPSHOT.timestamp()) * 1000 == utc(2016, 1, 13, 5)

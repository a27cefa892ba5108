"""The event-based truth of the two real data sets, counted anew from the events that the feeds give.

Expected figures were found by other means than these feeds (see data/README.md); they are not to be adjusted to the code.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from stream_app.feeds.boston311 import Boston311Feed
from stream_app.feeds.feed import FeedEvent
from stream_app.feeds.uci498 import Uci498Feed
from stream_app.wire.decoder import decode
from tests.support.feeds import wire_bytes

BOSTON = ZoneInfo("America/New_York")
WEEK_MS = 7 * 86_400_000


@pytest.fixture(scope="module")
def incidents() -> list[FeedEvent]:
    return list(Uci498Feed().events())


@pytest.fixture(scope="module")
def requests() -> list[FeedEvent]:
    return list(Boston311Feed().events())


def ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def first_instants(events: list[FeedEvent], *types: str) -> dict[str, int]:
    """When each case first saw one of these types."""
    first: dict[str, int] = {}
    for event in events:
        if event.event["type"] in types:
            first.setdefault(str(event.event["case_id"]), event.occurred_at)
    return first


def still_missing(opened: dict[str, int], ended: dict[str, int], at: int) -> int:
    return sum(instant < at <= ended.get(case, at) for case, instant in opened.items())


@pytest.mark.parametrize(("month", "expected"), [(4, 3344), (5, 2953), (6, 2036)])
def test_incidents_not_closed_at_the_start_of_a_month(incidents: list[FeedEvent], month: int, expected: int) -> None:
    opened, closed = first_instants(incidents, "contact.opened"), first_instants(incidents, "case.closed")
    assert still_missing(opened, closed, ms(datetime(2016, month, 1, tzinfo=UTC))) == expected


@pytest.mark.parametrize(("month", "expected"), [(4, 1462), (5, 1179), (6, 1169)])
def test_incidents_neither_resolved_nor_closed_at_the_start_of_a_month(incidents: list[FeedEvent], month: int, expected: int) -> None:
    opened = first_instants(incidents, "contact.opened")
    ended = first_instants(incidents, "case.resolved", "case.closed")
    assert still_missing(opened, ended, ms(datetime(2016, month, 1, tzinfo=UTC))) == expected


def test_incidents_without_a_repeat_within_seven_days(incidents: list[FeedEvent]) -> None:
    contacts: dict[tuple[object, object], list[tuple[int, str]]] = defaultdict(list)
    for event in incidents:
        if event.event["type"] == "contact.opened" and "customer_id" in event.event:
            customer, reason = event.event["customer_id"], event.event.get("reason")
            contacts[customer, reason].append((event.occurred_at, str(event.event["contact_id"])))
    repeated = 0
    for series in contacts.values():
        series.sort()
        repeated += sum(later[0] <= one[0] + WEEK_MS for one, later in pairwise(series))
    total = sum(len(series) for series in contacts.values())
    assert (total, total - repeated) == (24_915, 20_087)


def test_incidents_are_reopened_331_times_in_275_cases(incidents: list[FeedEvent]) -> None:
    reopened = [event.event["case_id"] for event in incidents if event.event["type"] == "case.reopened"]
    assert (len(reopened), len(set(reopened))) == (331, 275)


def test_no_incident_is_opened_again_by_a_status_only(incidents: list[FeedEvent]) -> None:
    resolved: dict[object, bool] = {}
    for event in incidents:
        case, kind = event.event["case_id"], event.event["type"]
        assert not (kind == "case.status_changed" and resolved.get(case))
        if kind in ("case.resolved", "case.reopened", "case.closed"):
            resolved[case] = kind != "case.reopened"


def test_two_incidents_are_answered_before_they_open(incidents: list[FeedEvent]) -> None:
    opened, answered = first_instants(incidents, "contact.opened"), first_instants(incidents, "message.representative")
    assert sum(answered[case] < instant for case, instant in opened.items()) == 2


def test_boston_targets_met_by_the_snapshot(requests: list[FeedEvent]) -> None:
    resolved, horizon = first_instants(requests, "case.resolved"), Boston311Feed().outline().final_instant
    verdicts: Counter[bool] = Counter()
    for event in requests:
        due = event.event.get("due")
        if isinstance(due, dict):
            at = resolved.get(str(event.event["case_id"]))
            met = at is not None and at <= due["resolution"]
            if met or due["resolution"] <= horizon:
                verdicts[met] += 1
    assert (verdicts[True], verdicts.total()) == (60_054, 90_653)


@pytest.mark.parametrize(("month", "day", "expected"), [(3, 31, 8353), (6, 30, 13_876), (9, 30, 19_290), (12, 31, 21_174)])
def test_boston_backlog_at_the_end_of_a_quarter(requests: list[FeedEvent], month: int, day: int, expected: int) -> None:
    at = ms(datetime(2015, month, day, 23, 59, 59, tzinfo=BOSTON))
    opened, resolved = first_instants(requests, "contact.opened"), first_instants(requests, "case.resolved")
    assert sum(instant <= at < resolved.get(case, at + 1) for case, instant in opened.items()) == expected


def test_boston_requests_opened_per_month(requests: list[FeedEvent]) -> None:
    months = Counter(
        datetime.fromtimestamp(event.occurred_at / 1000, BOSTON).month for event in requests if event.event["type"] == "contact.opened"
    )
    expected = [7528, 9052, 10_208, 10_563, 10_436, 10_332, 10_406, 12_883, 12_555, 10_277, 8743, 8162]
    assert [months[month] for month in range(1, 13)] == expected


def test_boston_requests_closed_before_they_open_stay_so(requests: list[FeedEvent]) -> None:
    opened, resolved = first_instants(requests, "contact.opened"), first_instants(requests, "case.resolved")
    early = [opened[case] - instant for case, instant in resolved.items() if instant < opened[case]]
    assert (len(early), max(early)) == (197, 58_000)


def test_boston_is_final_at_the_snapshot() -> None:
    assert Boston311Feed().outline().final_instant == ms(datetime(2016, 1, 13, tzinfo=BOSTON))


@pytest.mark.parametrize("events_of", ["incidents", "requests"])
def test_real_feeds_rise_in_time_with_ids_that_occur_once_and_keep_the_contract(request: pytest.FixtureRequest, events_of: str) -> None:
    events: list[FeedEvent] = request.getfixturevalue(events_of)
    assert all(one.occurred_at <= later.occurred_at for one, later in pairwise(events))
    assert len({event.event["event_id"] for event in events}) == len(events)
    for event in events:
        assert decode(wire_bytes(event), event.occurred_at, "contacts-0@1").unknown_fields == 0

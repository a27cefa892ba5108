"""The simulator as a whole: the same for the same seed, of every type, by the rules of the contract."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice, pairwise, takewhile
from pathlib import Path

import pytest

from models.events.rules import RULES
from stream_app.feeds.event_file import EventFileError, EventFileFeed, write_events
from stream_app.feeds.feed import FeedEvent, oldest_instant
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.feeds.simulator.simulation import live_simulator
from stream_app.wire.decoder import decode
from tests.support.feeds import wire_bytes

COUNT = 20_000


@pytest.fixture(scope="module")
def events() -> list[FeedEvent]:
    return list(SimulatedFeed(7, COUNT, days=6).events())


def of_type(events: list[FeedEvent], *types: str) -> list[FeedEvent]:
    return [event for event in events if event.event["type"] in types]


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    def bytes_of(seed: int) -> list[bytes]:
        return [wire_bytes(event) for event in SimulatedFeed(seed, 2000).events()]

    assert bytes_of(7) == bytes_of(7)
    assert bytes_of(7) != bytes_of(8)


def test_count_is_exact(events: list[FeedEvent]) -> None:
    assert len(events) == COUNT


def test_every_event_type_of_the_contract_occurs(events: list[FeedEvent]) -> None:
    assert {event.event["type"] for event in events} == {*RULES, "contact.recorded", "source.progress"}


def test_every_event_keeps_the_contract_and_has_no_field_it_does_not_know(events: list[FeedEvent]) -> None:
    for event in events:
        assert decode(wire_bytes(event), event.occurred_at, "contacts-0@1").unknown_fields == 0


def test_time_rises_and_ids_occur_once(events: list[FeedEvent]) -> None:
    assert all(one.occurred_at <= later.occurred_at for one, later in pairwise(events))
    ids = [event.event["event_id"] for event in events if event.event["type"] != "source.progress"]
    assert len(ids) == len(set(ids))


def test_its_own_progress_is_true_for_finished_records_too(events: list[FeedEvent]) -> None:
    up_to = 0
    for event in events:
        if event.event["type"] == "source.progress":
            up_to = max(up_to, int(str(event.event["up_to"])))
        else:
            assert oldest_instant(event) > up_to


def test_contact_is_opened_first_and_nobody_answers_one_that_has_left(events: list[FeedEvent]) -> None:
    opened = {event.event["contact_id"] for event in of_type(events, "contact.opened")}
    left: set[object] = set()
    for event in of_type(events, "contact.answered", "contact.abandoned", "contact.callback_requested"):
        contact = event.event["contact_id"]
        assert contact in opened
        assert contact not in left
        if event.event["type"] != "contact.answered":
            left.add(contact)


def test_nothing_follows_a_merge_or_a_cancellation_but_surveys(events: list[FeedEvent]) -> None:
    gone: set[object] = set()
    for event in events:
        case = event.event.get("case_id")
        assert case is None or case not in gone or event.topic == "surveys"
        if event.event["type"] in ("case.merged", "case.cancelled"):
            gone.add(case)


def test_customers_wait_in_line_and_some_give_up_at_once_or_later(events: list[FeedEvent]) -> None:
    opened = {event.event["contact_id"]: event.occurred_at for event in of_type(events, "contact.opened")}
    waits: dict[str, list[int]] = defaultdict(list)
    for event in of_type(events, "contact.answered", "contact.abandoned"):
        waits[str(event.event["type"])].append(event.occurred_at - opened[event.event["contact_id"]])
    assert any(wait < 9_000 for wait in waits["contact.answered"])
    assert any(wait > 20_000 for wait in waits["contact.answered"])
    assert any(wait < 5000 for wait in waits["contact.abandoned"])
    assert any(wait > 60_000 for wait in waits["contact.abandoned"])


def test_representative_serves_one_live_contact_at_a_time(events: list[FeedEvent]) -> None:
    calls: dict[object, list[tuple[int, int]]] = defaultdict(list)
    begun: dict[object, tuple[object, int]] = {}
    phone = {e.event["contact_id"] for e in of_type(events, "contact.opened") if e.event["channel"] == "phone"}
    moved = {e.event["contact_id"] for e in of_type(events, "contact.transferred")}
    for event in of_type(events, "contact.answered", "contact.ended"):
        contact = event.event["contact_id"]
        if contact in phone - moved and event.event["type"] == "contact.answered":
            begun[contact] = (event.event["representative_id"], event.occurred_at)
        elif contact in begun:
            representative, since = begun.pop(contact)
            calls[representative].append((since, event.occurred_at))
    assert sum(map(len, calls.values())) > 300
    for series in calls.values():
        assert all(one[1] <= later[0] for one, later in pairwise(sorted(series)))


def test_day_has_more_traffic_than_night_and_monday_more_than_sunday() -> None:
    opened = of_type(list(SimulatedFeed(3, COUNT, days=7).events()), "contact.opened")
    hours = Counter(event.occurred_at // 3_600_000 % 24 for event in opened)
    days = Counter((event.occurred_at - opened[0].occurred_at) // 86_400_000 for event in opened)
    assert hours[11] > 5 * hours[3]
    assert days[0] > days[6]


def test_surveys_of_every_kind_and_route_are_answered_often_enough(events: list[FeedEvent]) -> None:
    answers = Counter((event.event["kind"], event.event["route"]) for event in of_type(events, "survey.responded"))
    assert len(answers) == 7
    assert min(answers.values()) > 20


def test_some_customers_and_some_reasons_are_missing(events: list[FeedEvent]) -> None:
    opened = of_type(events, "contact.opened")
    for name in ("customer_id", "reason", "priority"):
        missing = sum(name not in event.event for event in opened)
        assert 0 < missing < 0.1 * len(opened)


def test_customers_come_back_for_the_same_reason(events: list[FeedEvent]) -> None:
    contacts = Counter(
        (event.event["customer_id"], event.event.get("reason"))
        for event in of_type(events, "contact.opened")
        if "customer_id" in event.event
    )
    repeats = contacts.total() - len(contacts)
    assert repeats > 0.05 * contacts.total()


def test_live_traffic_has_about_the_rate_asked_for_whatever_the_hour() -> None:
    night = int(datetime(2025, 3, 4, 2, tzinfo=UTC).timestamp()) * 1000
    some = list(islice(live_simulator(1, 20.0, night).events(), 60_000))
    second_half = some[len(some) // 2 :]
    seconds = (second_half[-1].occurred_at - second_half[0].occurred_at) / 1000
    assert 15 < len(second_half) / seconds < 25


def answering(events: Iterable[FeedEvent], since: int) -> tuple[float, float, float]:
    """Share answered within 20 s, share that gave up, and p90 of the wait of the answered (ms), of contacts opened since."""
    opened = {}
    answered, left = [], []
    for event in events:
        contact = str(event.event.get("contact_id"))
        if event.event["type"] == "contact.opened" and event.event["channel"] in ("phone", "chat") and event.occurred_at >= since:
            opened[contact] = event.occurred_at
        elif event.event["type"] == "contact.answered" and contact in opened:
            answered.append(event.occurred_at - opened.pop(contact))
        elif event.event["type"] == "contact.abandoned" and contact in opened:
            left.append(event.occurred_at - opened.pop(contact))
    tried = len(answered) + len(left)
    return sum(wait <= 20_000 for wait in answered) / tried, len(left) / tried, sorted(answered)[len(answered) * 9 // 10]


@pytest.mark.parametrize(("rate", "hours", "since"), [(0.4, 24, 2), (1.5, 8, 1), (8, 2, 1)])
def test_staffing_fits_the_traffic_whatever_the_rate(rate: float, hours: int, since: int) -> None:
    some = takewhile(lambda event: event.occurred_at < hours * 3_600_000, live_simulator(1, rate, 0).events())
    in_time, gave_up, wait_p90 = answering(some, since * 3_600_000)
    assert 0.65 < in_time < 0.92
    assert 0.01 < gave_up < 0.09
    assert 12_000 < wait_p90 < 110_000


def test_busy_hours_of_a_file_are_served_like_the_quiet_ones() -> None:
    in_time, gave_up, _ = answering(SimulatedFeed(7, COUNT, days=6).events(), 0)
    assert 0.7 < in_time < 0.92
    assert 0.02 < gave_up < 0.09


def test_cases_end_about_as_fast_as_they_come_and_what_is_written_takes_minutes() -> None:
    hours = list(takewhile(lambda event: event.occurred_at < 3 * 3_600_000, live_simulator(1, 3.0, 0).events()))
    opened = {str(e.event["case_id"]): e for e in reversed(of_type(hours, "contact.opened"))}
    since = 2 * 3_600_000
    came = sum(event.occurred_at >= since for event in opened.values())
    went = sum(event.occurred_at >= since for event in of_type(hours, "case.resolved"))
    assert 0.8 * came < went < 1.2 * came
    replies: dict[str, int] = {}
    for reply in of_type(hours, "message.representative"):
        case = str(reply.event["case_id"])
        if reply.event["public"] and not reply.event.get("automated") and case in opened and opened[case].event["channel"] == "email":
            replies.setdefault(case, reply.occurred_at - opened[case].occurred_at)
    assert 3 < sorted(replies.values())[len(replies) // 2] / 60_000 < 20


def test_live_traffic_sees_whole_cases_within_the_hour() -> None:
    hour = list(takewhile(lambda event: event.occurred_at < 3_600_000, live_simulator(1, 5.0, 0).events()))
    assert {event.event["type"] for event in hour} == {*RULES, "contact.recorded", "source.progress"}


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_file_of_events_gives_them_back_and_says_that_they_are_simulated(tmp_path: Path, name: str) -> None:
    simulated = SimulatedFeed(7, 3000)
    path = tmp_path / name
    assert write_events(path, simulated.events(), simulated=True) == 3000
    feed = EventFileFeed(path)
    assert list(feed.events()) == list(simulated.events())
    assert feed.simulated
    assert feed.outline() == simulated.outline()


def test_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        write_events(tmp_path / name, SimulatedFeed(7, 500).events(), simulated=True)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


@pytest.mark.parametrize("line", ["[]", "{", '{"topic": "contacts"}', '{"topic": "contacts", "event": {"type": "x"}}'])
def test_line_that_is_no_event_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    good = '{"topic":"contacts","event":{"type":"contact.opened","occurred_at":"2026-03-02T09:14:05.120+01:00","case_id":"1"}}'
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(EventFileError, match=r"bad\.jsonl:2"):
        list(EventFileFeed(path).events())


def test_instants_in_a_file_may_be_texts(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"topic":"contacts","event":{"type":"contact.opened","occurred_at":"2026-03-02T09:14:05.120+01:00","case_id":"1"}}\n')
    (event,) = EventFileFeed(path).events()
    assert event.occurred_at == 1_772_439_245_120

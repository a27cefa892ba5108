"""Sending a feed: which partition, what is declared when, in which order."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from stream_app.feeds.feed import InputEvent
from stream_app.feeds.rebase import Rebase, rebase_to_now
from stream_app.feeds.replay import ReplayPlan, send_feed
from tests.support.feeds import ListFeed, RememberingSender, SentRecord

TOPICS = {"contacts": "in.contacts", "resolutions": "in.resolutions", "surveys": "in.surveys"}
START = 1_000_000


def opened(number: int, at: int) -> InputEvent:
    return {"event_id": f"o{number}", "type": "contact.opened", "occurred_at": at, "case_id": f"case-{number}"}


def resolved(number: int, at: int) -> InputEvent:
    return {"event_id": f"r{number}", "type": "case.resolved", "occurred_at": at, "case_id": f"case-{number}"}


def recorded(number: int, opened_at: int, at: int) -> InputEvent:
    return {
        "event_id": f"k{number}",
        "type": "contact.recorded",
        "occurred_at": at,
        "contact_id": f"call-{number}",
        "opened_at": opened_at,
    }


def busy_feed(cases: int = 40) -> ListFeed:
    """Every tenth of a second a case is opened and, three seconds later, resolved; now and then the record of a call ends."""
    events = [opened(number, START + 100 * number) for number in range(cases)]
    events += [resolved(number, START + 100 * number + 3000) for number in range(cases)]
    events += [recorded(number, START + 1000 * number, START + 1000 * number + 1700) for number in range(cases // 10)]
    return ListFeed(sorted(events, key=lambda event: (event["occurred_at"], event["event_id"])))


def sent_by(feed: ListFeed, **plan: object) -> RememberingSender:
    sender = RememberingSender()
    asyncio.run(send_feed(feed, sender, ReplayPlan(topics=TOPICS, progress_every=7, **plan)))  # type: ignore[arg-type]
    return sender


def is_progress(record: SentRecord) -> bool:
    return bool(record.event["type"] == "source.progress")


def oldest(record: SentRecord) -> int:
    return int(min(record.event["occurred_at"], record.event.get("opened_at", record.event["occurred_at"])))


def partitions_of(sender: RememberingSender) -> dict[tuple[str, int], list[SentRecord]]:
    found: dict[tuple[str, int], list[SentRecord]] = defaultdict(list)
    for record in sender.records:
        found[record.topic, record.partition].append(record)
    return found


def test_progress_never_overtakes_an_older_event_that_is_still_to_come() -> None:
    declared = 0
    for records in partitions_of(sent_by(busy_feed())).values():
        up_to = 0
        for record in records:
            if is_progress(record):
                up_to = max(up_to, record.event["up_to"])
                declared += 1
            else:
                assert oldest(record) > up_to
    assert declared > 30


def test_progress_is_declared_only_after_everything_before_it_is_acknowledged() -> None:
    sender = sent_by(busy_feed())
    for position, record in enumerate(sender.records):
        if is_progress(record):
            events_before = [at for at in range(position) if not is_progress(sender.records[at])]
            assert record.acknowledged > events_before[-1]


@pytest.mark.parametrize("order", ["time", "shuffled", "resolutions_first"])
def test_every_partition_of_every_topic_hears_the_final_instant_last(order: str) -> None:
    feed = busy_feed()
    partitions = partitions_of(sent_by(feed, order=order))
    assert len(partitions) == 6
    for records in partitions.values():
        assert records[-1].event["up_to"] == feed.outline().final_instant


@pytest.mark.parametrize("order", ["shuffled", "resolutions_first"])
def test_other_orders_declare_progress_once_at_the_end(order: str) -> None:
    sender = sent_by(busy_feed(), order=order)
    assert [is_progress(record) for record in sender.records[-6:]] == [True] * 6
    assert not any(is_progress(record) for record in sender.records[:-6])


@pytest.mark.parametrize("order", ["time", "shuffled", "resolutions_first"])
def test_every_event_is_sent_once_whatever_the_order(order: str) -> None:
    feed = busy_feed()
    sent = [record.event["event_id"] for record in sent_by(feed, order=order).records if not is_progress(record)]
    assert sorted(sent) == sorted(str(event.event["event_id"]) for event in feed.events())


def test_resolutions_first_sends_all_of_them_before_the_first_contact() -> None:
    topics = [record.topic for record in sent_by(busy_feed(), order="resolutions_first").records if not is_progress(record)]
    assert topics == sorted(topics, key=["in.resolutions", "in.contacts"].index)


def test_shuffle_is_another_order_and_the_same_for_the_same_seed() -> None:
    def ids(seed: int) -> list[object]:
        return [record.event.get("event_id") for record in sent_by(busy_feed(), order="shuffled", seed=seed).records]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


def test_events_of_a_case_stay_in_one_partition_of_a_topic() -> None:
    places: dict[tuple[str, object], set[int]] = defaultdict(set)
    for record in sent_by(busy_feed()).records:
        if not is_progress(record):
            places[record.topic, record.key].add(record.partition)
    assert {len(partitions) for partitions in places.values()} == {1}


def test_counts_are_told_per_topic_without_progress() -> None:
    sender = RememberingSender()
    sent = asyncio.run(send_feed(busy_feed(40), sender, ReplayPlan(topics=TOPICS)))
    assert sent.events == {"contacts": 44, "resolutions": 40}


def test_live_pipeline_hears_no_progress_at_all() -> None:
    feed = ListFeed([opened(1, START), {"type": "source.progress", "occurred_at": START + 5, "up_to": START}])
    sender = RememberingSender()
    asyncio.run(send_feed(feed, sender, ReplayPlan(topics=TOPICS, declare=False)))
    assert [record.event["event_id"] for record in sender.records] == ["o1"]


def test_progress_of_the_feed_itself_reaches_every_partition_of_its_topic() -> None:
    progress: InputEvent = {"type": "source.progress", "occurred_at": START + 5, "up_to": START}
    sender = sent_by(ListFeed([opened(1, START), progress]))
    heard = {(record.topic, record.partition) for record in sender.records if record.event.get("up_to") == START}
    assert heard == {("in.contacts", 0), ("in.contacts", 1), ("in.contacts", 2)}


def test_event_for_a_topic_that_is_not_configured_is_refused() -> None:
    sending = send_feed(busy_feed(), RememberingSender(), ReplayPlan(topics={"contacts": "in.contacts"}))
    with pytest.raises(LookupError, match="resolutions"):
        asyncio.run(sending)


def test_rebase_moves_every_instant_and_gives_new_names() -> None:
    event = opened(1, START) | {"due": {"resolution": START + 60_000}, "customer_id": "u1", "talk_s": 3}
    feed = ListFeed([event])
    (moved,) = Rebase(START, 5_000_000, 60.0).apply(feed.events())
    assert moved.occurred_at == moved.event["occurred_at"] == 5_000_000
    assert moved.event["due"] == {"resolution": 5_001_000}
    assert (moved.event["case_id"], moved.event["event_id"]) == ("4c4b40-case-1", "4c4b40-o1")
    assert (moved.event["customer_id"], moved.event["talk_s"]) == ("u1", 3)
    assert moved.key == b"4c4b40-case-1"


def test_rebase_to_now_ends_now_at_full_speed_and_begins_now_with_a_pace() -> None:
    at_once = rebase_to_now(0, 1000, 50_000, None)
    paced = rebase_to_now(0, 1000, 50_000, 10.0)
    assert (at_once.instant(0), at_once.instant(1000)) == (49_000, 50_000)
    assert (paced.instant(0), paced.instant(1000)) == (50_000, 50_100)

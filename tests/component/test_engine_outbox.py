"""The outbox on a producer that acknowledges when told to."""

from __future__ import annotations

import asyncio
import os

import pytest
from aiokafka.partitioner import murmur2 as reference_murmur2

from agents.ports import Output
from stream_app.engine.outbox import Outbox, Pending, skew
from stream_app.engine.partitioner import murmur2, partition_of
from tests.support.fake_producer import FakeProducer

PARTITIONS = {"events": 4, "panes": 1}


class Recorded:
    def __init__(self) -> None:
        self.failures: list[str] = []

    def __call__(self, reason: str, cause: BaseException) -> None:
        self.failures.append(reason)


@pytest.fixture
def failed() -> Recorded:
    return Recorded()


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


def outbox_on(producer: FakeProducer, failed: Recorded, limit: int = 1000) -> Outbox:
    return Outbox(producer, lambda name: f"x.{name}", PARTITIONS, limit=limit, failed=failed)


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def panes(*values: bytes) -> list[Output]:
    return [Output("panes", b"k", value) for value in values]


async def test_records_of_one_partition_keep_their_order_over_several_batches(producer: FakeProducer, failed: Recorded) -> None:
    producer.capacity = 3
    outbox, owner = outbox_on(producer, failed), Pending()
    values = [b"%d" % number for number in range(10)]

    outbox.put(panes(*values), owner)
    await owner.settled()

    assert [value for _, value in producer.sent_to("x.panes")] == values
    assert len(producer.sent) == 4


async def test_a_partition_has_one_batch_on_its_way_and_collects_the_next(producer: FakeProducer, failed: Recorded) -> None:
    producer.hold = True
    outbox, owner = outbox_on(producer, failed), Pending()
    outbox.put(panes(b"1"), owner)
    await turns()

    outbox.put(panes(b"2"), owner)
    outbox.put(panes(b"3"), owner)
    await turns()
    assert len(producer.sent) == 1

    producer.release()
    await turns()
    assert [value for _, value in producer.sent[1][2]] == [b"2", b"3"]


async def test_an_owner_waits_for_its_own_batches_only(producer: FakeProducer, failed: Recorded) -> None:
    producer.hold = True
    outbox, mine, other = outbox_on(producer, failed), Pending(), Pending()
    outbox.put([Output("events", None, b"a", partition=0)], mine)
    await turns()
    producer.release()
    outbox.put([Output("events", None, b"b", partition=1)], other)
    await turns()

    await asyncio.wait_for(mine.settled(), 1)
    assert len(other) == 1


async def test_a_snapshot_does_not_wait_for_what_is_sent_later(producer: FakeProducer, failed: Recorded) -> None:
    producer.hold = True
    outbox, owner = outbox_on(producer, failed), Pending()
    outbox.put(panes(b"1"), owner)
    await turns()
    earlier = owner.snapshot()
    outbox.put(panes(b"2"), owner)
    producer.release()
    await turns()

    assert all(acknowledged.done() for acknowledged in earlier)
    assert len(owner) == 1


async def test_room_is_closed_while_too_many_bytes_are_unacknowledged(producer: FakeProducer, failed: Recorded) -> None:
    producer.hold = True
    outbox, owner = outbox_on(producer, failed, limit=100), Pending()
    outbox.put(panes(b"x" * 200), owner)
    room = asyncio.ensure_future(outbox.room())
    await turns()
    assert not room.done()

    producer.release()
    await asyncio.wait_for(room, 1)
    assert outbox.outstanding == 0


async def test_a_failed_batch_is_reported_and_never_counts_as_acknowledged(producer: FakeProducer, failed: Recorded) -> None:
    producer.failure = OSError("no")
    outbox, owner = outbox_on(producer, failed), Pending()

    outbox.put(panes(b"1"), owner)
    await turns()

    assert failed.failures == ["sending to x.panes-0 failed"]
    assert len(owner) == 1


async def test_an_unknown_topic_or_partition_is_an_error_of_the_caller(producer: FakeProducer, failed: Recorded) -> None:
    outbox = outbox_on(producer, failed)
    with pytest.raises(KeyError):
        outbox.put([Output("nowhere", b"k", b"v")], Pending())
    with pytest.raises(ValueError, match="no partition 4"):
        outbox.put([Output("events", b"k", b"v", partition=4)], Pending())


async def test_skew_is_measured_from_topics_on_broker_time(producer: FakeProducer, failed: Recorded) -> None:
    outbox, owner = outbox_on(producer, failed), Pending()
    outbox.put(panes(b"1"), owner)
    await owner.settled()
    assert outbox.skew_ms is None

    producer.broker_time_ms = 1000
    outbox.put(panes(b"2"), owner)
    await owner.settled()
    assert outbox.skew_ms is not None
    assert outbox.skew_ms < -1_000_000


@pytest.mark.parametrize(("broker", "expected"), [(90, -10), (100, 0), (150, 0), (200, 0), (230, 30)])
def test_skew_is_what_the_round_trip_proves(broker: int, expected: int) -> None:
    """Sent at 100, acknowledged at 200."""
    assert skew(broker, 100, 200) == expected


def test_keys_go_where_every_kafka_client_sends_them() -> None:
    for length in range(100):
        key = os.urandom(length)
        assert murmur2(key) == reference_murmur2(key)
        assert 0 <= partition_of(key, 7) < 7

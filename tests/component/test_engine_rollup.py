"""How often Rollup publishes: at its interval, and in a backlog only as long as panes come, further apart; and what it does about other writers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import TopicPartition
from faust.types import TP

from agents.ports import Output, Record
from stream_app.engine.batches import PartitionBatch
from stream_app.engine.failure import FailStop
from stream_app.engine.outbox import Outbox
from stream_app.engine.rollup import RollupRunner
from stream_app.engine.settings import EngineSettings
from tests.support.fake_producer import FakeProducer
from tests.support.waiting import eventually_async

INTERVAL, QUIET, LONGEST = 0.01, 0.1, 0.6
KPIS = TopicPartition("kpis", 0)


class Processor:
    """Remembers when it published; its clock moves as it is told."""

    behind = False

    def __init__(self, moved: int) -> None:
        self.moved = moved
        self.published: list[float] = []
        self.rows: list[Output] = []

    def assigned(self) -> None: ...

    def revoked(self) -> None: ...

    def start_publishing(self) -> None: ...

    def read_panes(self, records: Sequence[Record]) -> None: ...

    def read_published(self, topic: str, records: Sequence[Record]) -> None: ...

    def publish(self, clock_ms: int) -> list[Output]:
        self.published.append(monotonic())
        rows, self.rows = self.rows, []
        return rows


class Topics:
    """The topic ``kpis``, and what was read of it later."""

    def __init__(self) -> None:
        self.end = 5
        self.failure: Exception | None = None
        self.read_again: list[range] = []

    async def read_back(self, reader: Any) -> dict[TopicPartition, int]:
        return {KPIS: self.end}

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        if self.failure is not None:
            raise self.failure
        return dict.fromkeys(partitions, self.end)

    async def read(self, offsets: Mapping[TopicPartition, Sequence[range]]) -> None:
        for partition, spans in offsets.items():
            assert partition == KPIS
            self.read_again += spans


class Panes:
    """A reader of an empty panes topic."""

    async def read_to_end(self, partitions: Iterable[TopicPartition], absorb: object) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)


class Bench:
    """A runner on a fake producer, and a way to let panes come."""

    def __init__(self, moved: int, interval: float = INTERVAL) -> None:
        settings = EngineSettings(
            publish_interval=INTERVAL,
            rollup_interval=interval,
            checkpoint_interval=QUIET,
            catching_up_interval=LONGEST,
            foreign_interval=INTERVAL,
        )
        self.topics = Topics()
        self.producer = FakeProducer()
        self.producer.ends[KPIS] = self.topics.end
        topics: Any = self.topics
        outbox = Outbox(self.producer, str, {"kpis": 1}, limit=10_000, failed=lambda *_: None)
        self.processor = Processor(moved)
        self.feeding: bool | None = None
        self.runner = RollupRunner(self.processor, outbox, topics, settings, FailStop(lambda _: None), lambda: self.feeding)
        self._next = 0

    async def a_pane(self) -> None:
        record: Any = SimpleNamespace(offset=self._next, key=b"k", value=b"v")
        self._next += 1
        await self.runner.on_batch(PartitionBatch(TP("panes", 0), 1, self._next - 1, self._next, self._next, [record]))


@asynccontextmanager
async def publishing(moved: int, interval: float = INTERVAL) -> AsyncIterator[Bench]:
    bench = Bench(moved, interval)
    reader: Any = Panes()
    published, panes = await bench.runner.read_back(reader, [TopicPartition("panes", 0)])
    bench.runner.start(panes, published, 1)
    try:
        yield bench
    finally:
        await bench.runner.close()


async def published(bench: Bench, times: int) -> bool:
    return len(bench.processor.published) >= times


async def test_while_somebody_can_follow_it_publishes_at_every_interval() -> None:
    async with publishing(moved=60_000) as bench:
        await eventually_async(lambda: published(bench, 10), within_seconds=5)


async def test_it_follows_the_panes_of_a_turn_and_waits_for_the_last_of_them() -> None:
    async with publishing(moved=0, interval=0.5) as bench:
        await eventually_async(lambda: published(bench, 1), within_seconds=1)
        for turn in range(2, 5):
            await asyncio.sleep(0.5)
            came = monotonic()
            for _ in range(3):
                await bench.a_pane()
                await asyncio.sleep(0.01)
            await eventually_async(partial(published, bench, turn), within_seconds=1)
            assert 0.09 < bench.processor.published[-1] - came < 0.2


async def test_without_panes_it_publishes_a_little_later_what_the_last_turn_left() -> None:
    async with publishing(moved=0, interval=0.2) as bench:
        await eventually_async(lambda: published(bench, 4), within_seconds=3)
    first, *_, last = bench.processor.published
    assert (last - first) / 3 == pytest.approx(0.3, abs=0.06)


async def test_panes_that_come_all_the_time_do_not_make_it_publish_much_more_often() -> None:
    async with publishing(moved=0, interval=0.1) as bench:
        until = monotonic() + 1
        while monotonic() < until:
            await bench.a_pane()
            await asyncio.sleep(0.005)
    assert 6 <= len(bench.processor.published) <= 14


async def test_in_a_backlog_it_waits_for_the_longest_interval_while_panes_come() -> None:
    async with publishing(moved=3_600_000) as bench:
        until = monotonic() + LONGEST - 0.1
        while monotonic() < until:
            await bench.a_pane()
            await asyncio.sleep(0.01)
        assert len(bench.processor.published) == 1
        await eventually_async(lambda: published(bench, 2), within_seconds=5)


async def test_when_no_more_panes_come_it_publishes_soon() -> None:
    async with publishing(moved=3_600_000) as bench:
        await bench.a_pane()
        await eventually_async(lambda: published(bench, 2), within_seconds=5)
        first, second = bench.processor.published[:2]
        assert second - first < LONGEST


async def test_while_a_partition_of_this_worker_is_in_a_backlog_it_waits_though_no_panes_come() -> None:
    async with publishing(moved=3_600_000) as bench:
        bench.feeding = True
        await asyncio.sleep(LONGEST - 0.2)
        assert len(bench.processor.published) == 1
        bench.feeding = False
        await eventually_async(lambda: published(bench, 2), within_seconds=5)


async def test_a_clock_that_has_moved_far_in_a_long_time_is_no_backlog() -> None:
    """At 60 times the usual speed a publication after a long rest finds five minutes gone: the next one comes at once."""
    async with publishing(moved=3_600_000) as bench:
        await eventually_async(lambda: published(bench, 1), within_seconds=5)
        bench.processor.moved = 60_000
        await eventually_async(lambda: published(bench, 5), within_seconds=LONGEST + 5)


async def rows_are_sent(bench: Bench, count: int) -> None:
    bench.processor.rows = [Output("kpis", b"k", b"v")] * count
    sent = len(bench.producer.sent)

    async def found() -> bool:
        return len(bench.producer.sent) > sent

    await eventually_async(found, within_seconds=5)
    bench.topics.end = bench.producer.ends[KPIS]


async def read_again(bench: Bench, spans: list[range]) -> bool:
    return bench.topics.read_again == spans


async def test_what_only_it_has_written_is_not_read_again() -> None:
    async with publishing(moved=0) as bench:
        for count in (3, 1, 2):
            await rows_are_sent(bench, count)
        await asyncio.sleep(10 * INTERVAL)
        assert bench.topics.read_again == []


async def test_records_of_another_between_two_batches_are_read() -> None:
    async with publishing(moved=0) as bench:
        await rows_are_sent(bench, 3)
        bench.producer.ends[KPIS] += 4
        await rows_are_sent(bench, 2)
        await eventually_async(lambda: read_again(bench, [range(8, 12)]), within_seconds=5)


async def test_records_of_another_after_the_last_batch_are_read_once() -> None:
    async with publishing(moved=0) as bench:
        await rows_are_sent(bench, 3)
        bench.producer.ends[KPIS] += 4
        bench.topics.end = bench.producer.ends[KPIS]
        await eventually_async(lambda: read_again(bench, [range(8, 12)]), within_seconds=5)
        await rows_are_sent(bench, 1)
        await asyncio.sleep(10 * INTERVAL)
        assert bench.topics.read_again == [range(8, 12)]


async def test_an_end_that_is_of_a_batch_on_its_way_is_no_record_of_another() -> None:
    async with publishing(moved=0) as bench:
        bench.producer.hold = True
        await rows_are_sent(bench, 3)
        await asyncio.sleep(10 * INTERVAL)
        bench.producer.hold = False
        bench.producer.release()
        await rows_are_sent(bench, 1)
        await asyncio.sleep(10 * INTERVAL)
        assert bench.topics.read_again == []


@pytest.mark.parametrize("failure", [KafkaTimeoutError(), RuntimeError("no consumer")])
async def test_while_nobody_answers_it_goes_on_and_asks_again(failure: Exception) -> None:
    async with publishing(moved=0) as bench:
        bench.topics.failure = failure
        await rows_are_sent(bench, 1)
        bench.topics.end += 2
        await asyncio.sleep(10 * INTERVAL)
        assert bench.topics.read_again == []
        bench.topics.failure = None
        await eventually_async(lambda: read_again(bench, [range(6, 8)]), within_seconds=5)


async def test_a_batch_of_the_assignment_before_counts_as_of_another() -> None:
    """It came after the topic was read, so that nobody knows what it says."""
    async with publishing(moved=0) as bench:
        bench.producer.hold = True
        bench.processor.rows = [Output("kpis", b"k", b"v")] * 3
        while not bench.producer.sent:  # noqa: ASYNC110 - the rest after the sending is short, and it must end in it
            await asyncio.sleep(0)
        await bench.runner.close()
        bench.runner.start({0: 0}, {KPIS: 5}, 2)
        bench.topics.end = 8
        bench.producer.hold = False
        bench.producer.release()
        await eventually_async(lambda: read_again(bench, [range(5, 8)]), within_seconds=5)

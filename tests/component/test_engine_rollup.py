"""How often Rollup publishes: at its interval, and in a backlog only as long as panes come, further apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from types import SimpleNamespace
from typing import Any

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


class Processor:
    """Remembers when it published; its clock moves as it is told."""

    behind = False

    def __init__(self, moved: int) -> None:
        self.moved = moved
        self.published: list[float] = []

    def assigned(self) -> None: ...

    def revoked(self) -> None: ...

    def start_publishing(self) -> None: ...

    def read_panes(self, records: Sequence[Record]) -> None: ...

    def read_published(self, topic: str, records: Sequence[Record]) -> None: ...

    def publish(self, clock_ms: int) -> list[Output]:
        self.published.append(monotonic())
        return []


class Bench:
    """A runner on a fake producer, and a way to let panes come."""

    def __init__(self, moved: int) -> None:
        settings = EngineSettings(publish_interval=INTERVAL, rollup_interval=INTERVAL, checkpoint_interval=QUIET, catching_up_interval=LONGEST)
        outbox = Outbox(FakeProducer(), str, {"kpis": 1}, limit=10_000, failed=lambda *_: None)
        self.processor = Processor(moved)
        self.feeding: bool | None = None
        self.runner = RollupRunner(self.processor, outbox, settings, FailStop(lambda _: None), lambda: self.feeding)
        self._next = 0

    async def a_pane(self) -> None:
        record: Any = SimpleNamespace(offset=self._next, key=b"k", value=b"v")
        self._next += 1
        await self.runner.on_batch(PartitionBatch(TP("panes", 0), 1, self._next - 1, self._next, self._next, [record]))


@asynccontextmanager
async def publishing(moved: int) -> AsyncIterator[Bench]:
    bench = Bench(moved)
    bench.runner.begin()
    bench.runner.start({0: 0}, 1)
    try:
        yield bench
    finally:
        await bench.runner.close()


async def published(bench: Bench, times: int) -> bool:
    return len(bench.processor.published) >= times


async def test_while_somebody_can_follow_it_publishes_at_every_interval() -> None:
    async with publishing(moved=60_000) as bench:
        await eventually_async(lambda: published(bench, 10), within_seconds=5)


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

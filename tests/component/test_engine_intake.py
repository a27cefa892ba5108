"""Running Intake: marks and commits never run ahead of what is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from agents.ports import Output
from stream_app.engine.batches import LogEnd, PartitionBatch
from stream_app.engine.failure import FailStop
from stream_app.engine.intake import IntakeRunner
from stream_app.engine.outbox import Outbox
from stream_app.engine.settings import EngineSettings
from tests.support.fake_producer import FakeProducer
from tests.support.waiting import eventually_async

CONTACTS = TP("contacts", 3)


class Processor:
    def __init__(self, producer: FakeProducer) -> None:
        self.producer = producer
        self.sources: set[str] = set()
        self.complete: list[dict[str, int]] = []
        self.pausing: set[str] = set()

    def assigned(self, sources: set[str]) -> None:
        self.sources = sources

    def handle_together(self, waiting: Mapping[str, Sequence[Any]], more: Container[str], most: int) -> tuple[list[Output], dict[str, int]]:
        outputs = [Output("events", None, record.value, partition=0) for records in waiting.values() for record in records]
        return outputs, {source: len(records) for source, records in waiting.items()}

    def marks(self, clock_ms: int, complete_at: dict[str, int], skew_ms: int | None) -> list[Output]:
        self.complete.append(complete_at)
        return [Output("events", None, b"mark", partition=0)]

    def paused(self) -> set[str]:
        return self.pausing


class Bench:
    """Intake with a log end that the test decides."""

    def __init__(self) -> None:
        self.producer = FakeProducer()
        self.processor = Processor(self.producer)
        self.end = LogEnd(0, 0, 0)
        self.paused: set[TP] = set()
        self.committed: list[dict[TP, int]] = []
        outbox = Outbox(self.producer, str, {"events": 1}, limit=10_000, failed=lambda *_: None)
        settings = EngineSettings(mark_interval=0.01, checkpoint_interval=0.0)
        self.exit_codes: list[int] = []
        self.runner = IntakeRunner(self.processor, outbox, self, self.commit, settings, FailStop(self.exit_codes.append))

    async def ends(self, tps: Iterable[TP]) -> dict[TP, LogEnd]:
        return dict.fromkeys(tps, self.end)

    def set_paused(self, tps: set[TP]) -> None:
        self.paused = tps

    async def commit(self, offsets: Any) -> None:
        self.committed.append(dict(offsets))

    def start(self) -> None:
        self.runner.start({CONTACTS: "contacts-3"}, {CONTACTS: 0}, epoch=1)

    async def batch(self, *offsets: int, epoch: int = 1) -> None:
        records: list[Any] = [SimpleNamespace(offset=offset, key=None, value=b"%d" % offset) for offset in offsets]
        await self.runner.on_batch(PartitionBatch(CONTACTS, epoch, offsets[0], offsets[-1] + 1, offsets[-1] + 1, records))


async def test_offsets_are_committed_after_the_acknowledgement_of_a_mark_that_covers_them() -> None:
    """Record sent | mark sent, after the record's acknowledgement | commit, after the mark's"""
    bench = Bench()
    bench.producer.hold = True
    bench.start()
    await bench.batch(0)

    async def last_sent_is(value: bytes) -> bool:
        sent = bench.producer.sent_to("events")
        return bool(sent) and sent[-1][1] == value

    await eventually_async(partial(last_sent_is, b"0"), within_seconds=2)
    await asyncio.sleep(0.05)
    assert await last_sent_is(b"0")
    bench.producer.release()
    await eventually_async(partial(last_sent_is, b"mark"), within_seconds=2)
    await asyncio.sleep(0.05)
    assert bench.committed == []
    bench.producer.hold = False
    bench.producer.release()

    async def committed() -> list[dict[TP, int]]:
        return bench.committed

    assert (await eventually_async(committed, within_seconds=2))[0] == {CONTACTS: 1}
    await bench.runner.close()


async def test_a_source_is_complete_only_when_everything_up_to_the_end_is_handled_and_acknowledged() -> None:
    bench = Bench()
    bench.end = LogEnd(end=3, delivered=0, position=0)
    started = int(time.time() * 1000)
    bench.start()
    await bench.batch(0, 1)
    await asyncio.sleep(0.05)
    assert not any(bench.processor.complete)

    bench.end = LogEnd(end=3, delivered=3, position=3)
    await bench.batch(2)

    async def complete() -> dict[str, int]:
        return bench.processor.complete[-1]

    told = await eventually_async(complete, within_seconds=2)
    assert started <= told["contacts-3"] <= time.time() * 1000
    await bench.runner.close()


async def test_records_that_nobody_sees_at_the_end_of_the_log_do_not_keep_a_source_incomplete() -> None:
    bench = Bench()
    bench.end = LogEnd(end=5, delivered=0, position=5)
    bench.start()

    async def complete() -> bool:
        return any(bench.processor.complete)

    await eventually_async(complete, within_seconds=2)
    await bench.runner.close()


async def test_fetched_but_unhandled_records_keep_a_source_incomplete() -> None:
    bench = Bench()
    bench.end = LogEnd(end=5, delivered=5, position=5)
    bench.start()
    await asyncio.sleep(0.05)
    assert not any(bench.processor.complete)
    await bench.runner.close()


async def test_sources_too_far_ahead_are_paused() -> None:
    bench = Bench()
    bench.processor.pausing = {"contacts-3"}
    bench.start()

    async def paused() -> bool:
        return bench.paused == {CONTACTS}

    await eventually_async(paused, within_seconds=2)
    await bench.runner.close()


async def test_closing_commits_what_was_handled_and_late_work_is_dropped() -> None:
    bench = Bench()
    bench.start()
    await bench.batch(0)

    await bench.runner.close()
    await bench.batch(1)

    assert bench.committed[-1] == {CONTACTS: 1}
    assert bench.processor.sources == set()
    assert b"1" not in [value for _, value in bench.producer.sent_to("events")]

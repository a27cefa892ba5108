"""Running Intake: marks and commits never run ahead of what is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from agents.ports import Output
from stream_app.engine import intake
from stream_app.engine.batches import LogEnd, PartitionBatch
from stream_app.engine.failure import FailStop
from stream_app.engine.intake import IntakeRunner
from stream_app.engine.outbox import Outbox
from stream_app.engine.settings import EngineSettings
from tests.support.fake_producer import FakeProducer
from tests.support.waiting import eventually_async

CONTACTS = TP("contacts", 3)
SURVEYS = TP("surveys", 0)
SOURCES = {CONTACTS: "contacts-3", SURVEYS: "surveys-0"}


class Processor:
    def __init__(self, producer: FakeProducer) -> None:
        self.producer = producer
        self.sources: set[str] = set()
        self.complete: list[dict[str, int]] = []
        self.pausing: set[str] = set()
        self.handled: list[dict[str, list[int]]] = []
        self.more: list[set[str]] = []
        self.at_most = 1_000

    def assigned(self, sources: set[str]) -> None:
        self.sources = sources

    def handle_together(self, waiting: Mapping[str, Sequence[Any]], more: Container[str], most: int) -> tuple[list[Output], dict[str, int]]:
        parts = {source: records[: self.at_most] for source, records in waiting.items()}
        self.handled.append({source: [record.offset for record in records] for source, records in parts.items()})
        self.more.append({source for source in waiting if source in more})
        outputs = [Output("events", None, record.value, partition=0) for records in parts.values() for record in records]
        return outputs, {source: len(records) for source, records in parts.items()}

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
        self.runner.start({CONTACTS: "contacts-3"}, {CONTACTS: 0}, {CONTACTS: 0}, epoch=1)

    def start_with_backlogs(self, records: int = 5_000) -> None:
        """Two partitions, each so many records behind."""
        self.end = LogEnd(end=records, delivered=0, position=0)
        self.runner.start(SOURCES, dict.fromkeys(SOURCES, 0), dict.fromkeys(SOURCES, records), epoch=1)

    async def batch(self, *offsets: int, epoch: int = 1, tp: TP = CONTACTS) -> None:
        records: list[Any] = [SimpleNamespace(offset=offset, key=None, value=b"%d" % offset) for offset in offsets]
        highwater = max(self.end.end, offsets[-1] + 1)
        await self.runner.on_batch(PartitionBatch(tp, epoch, offsets[0], offsets[-1] + 1, highwater, records))

    def arriving(self, *offsets: int, tp: TP = CONTACTS) -> asyncio.Future[None]:
        """A batch that may have to wait."""
        return asyncio.ensure_future(self.batch(*offsets, tp=tp))


async def test_offsets_are_committed_after_the_acknowledgement_of_a_mark_that_covers_them() -> None:
    """Record sent | mark sent, after the record's acknowledgement | commit, after the mark's"""
    bench = Bench()
    bench.producer.hold = True
    bench.start()
    await bench.batch(0)

    async def last_sent_is(value: bytes) -> bool:
        sent = bench.producer.sent_to("events")
        return bool(sent) and sent[-1][1] == value

    if not await last_sent_is(b"0"):  # a mark came before it
        bench.producer.release()
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


async def test_what_one_fetch_brings_partition_by_partition_is_handled_in_one_step() -> None:
    bench = Bench()
    bench.start_with_backlogs(2)
    first = bench.arriving(0, 1)
    await asyncio.sleep(0.001)
    second = bench.arriving(0, 1, tp=SURVEYS)
    await asyncio.wait_for(asyncio.gather(first, second), 2)
    assert bench.processor.handled == [{"contacts-3": [0, 1], "surveys-0": [0, 1]}]
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


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how many seconds partitions wait for each other."""
    return partial(monkeypatch.setattr, intake, "PATIENCE")


async def test_partitions_with_a_backlog_wait_for_each_other_and_are_handled_together(patience: Callable[[float], None]) -> None:
    patience(60)
    bench = Bench()
    bench.start_with_backlogs()

    first = bench.arriving(0, 1)
    await asyncio.sleep(0.05)
    assert bench.processor.handled == []

    await asyncio.wait_for(asyncio.gather(first, bench.arriving(0, tp=SURVEYS)), 1)
    assert bench.processor.handled == [{"contacts-3": [0, 1], "surveys-0": [0]}]
    assert bench.processor.more == [{"contacts-3", "surveys-0"}]
    await bench.runner.close()


async def test_one_that_never_brings_anything_is_given_up_and_not_waited_for_again(patience: Callable[[float], None]) -> None:
    """
    | 0 waits, in vain | 1 at once |               | 2 | 3 waits again    contacts-3
    |                  |           | 0, at last, waits |                    surveys-0
    """
    patience(0.1)
    bench = Bench()
    bench.start_with_backlogs()
    started = monotonic()
    await asyncio.wait_for(bench.batch(0), 2)
    assert monotonic() - started >= 0.1

    patience(2)
    await asyncio.wait_for(bench.batch(1), 1)
    assert bench.processor.handled == [{"contacts-3": [0]}, {"contacts-3": [1]}]

    late = bench.arriving(0, tp=SURVEYS)
    await asyncio.sleep(0.05)
    await asyncio.wait_for(asyncio.gather(late, bench.arriving(2)), 1)
    assert bench.processor.handled[2:] == [{"contacts-3": [2], "surveys-0": [0]}]
    last = bench.arriving(3)
    await asyncio.sleep(0.05)
    assert not last.done()
    await bench.runner.close()
    await last
    assert len(bench.processor.handled) == 3


async def test_nobody_waits_for_a_partition_that_is_hardly_behind(patience: Callable[[float], None]) -> None:
    patience(60)
    bench = Bench()
    bench.start_with_backlogs(records=intake.BACKLOG - 1)

    await asyncio.wait_for(bench.batch(0), 1)

    assert bench.processor.handled == [{"contacts-3": [0]}]
    assert bench.processor.more == [set()]
    await bench.runner.close()


async def test_nobody_waits_for_a_partition_that_is_paused_for_being_ahead(patience: Callable[[float], None]) -> None:
    patience(60)
    bench = Bench()
    bench.processor.pausing = {"surveys-0"}
    bench.start_with_backlogs()

    await asyncio.wait_for(bench.batch(0), 1)

    assert bench.processor.handled == [{"contacts-3": [0]}]
    await bench.runner.close()


async def test_a_batch_handled_in_parts_is_done_with_its_last_record() -> None:
    bench = Bench()
    bench.processor.at_most = 2
    bench.start()

    await bench.batch(0, 1, 2)

    assert bench.processor.handled == [{"contacts-3": [0, 1]}, {"contacts-3": [2]}]
    assert (bench.runner.records_handled, bench.runner.lags) == (3, {CONTACTS: 0})
    await bench.runner.close()
    assert bench.committed[-1] == {CONTACTS: 3}


async def test_of_a_batch_that_an_assignment_ends_in_the_middle_of_the_handled_part_is_committed(patience: Callable[[float], None]) -> None:
    """
    | 0 1 | 2 waits for more of surveys | close    contacts-3
    | 0   |                             |          surveys-0
    """
    patience(2)
    bench = Bench()
    bench.processor.at_most = 2
    bench.start_with_backlogs()
    contacts = bench.arriving(0, 1, 2)
    await asyncio.wait_for(bench.batch(0, tp=SURVEYS), 1)
    await asyncio.sleep(0.05)
    assert not contacts.done()

    await bench.runner.close()
    await contacts

    assert bench.processor.handled == [{"contacts-3": [0, 1], "surveys-0": [0]}]
    assert bench.committed[-1] == {CONTACTS: 2, SURVEYS: 1}


async def test_the_next_assignment_waits_for_whom_the_last_one_had_given_up(patience: Callable[[float], None]) -> None:
    patience(0.1)
    bench = Bench()
    bench.start_with_backlogs()
    await asyncio.wait_for(bench.batch(0), 2)
    await bench.runner.close()

    await assert_waits(bench, patience)


async def test_the_next_assignment_waits_anew_when_the_last_one_ended_in_a_wait(patience: Callable[[float], None]) -> None:
    patience(0.1)
    bench = Bench()
    bench.start_with_backlogs()
    waiting = bench.arriving(0)
    await asyncio.sleep(0.02)
    await bench.runner.close()
    await waiting
    await asyncio.sleep(0.1)  # by now that wait would be over

    await assert_waits(bench, patience)


async def assert_waits(bench: Bench, patience: Callable[[float], None]) -> None:
    patience(2)
    bench.start_with_backlogs()
    bench.processor.handled.clear()
    waiting = bench.arriving(0)
    await asyncio.sleep(0.05)
    assert bench.processor.handled == []
    await bench.runner.close()
    await waiting

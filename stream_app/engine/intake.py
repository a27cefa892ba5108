"""Running Intake: handle, tell the time, commit, in an order that never claims what is not in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic
from typing import Protocol

from aiokafka.errors import KafkaError
from faust.types import TP

from stream_app.engine.batches import LogEnd, PartitionBatch
from stream_app.engine.failure import FailStop
from stream_app.engine.outbox import Outbox, Pending, wait_all
from stream_app.engine.processors import IntakeProcessor
from stream_app.engine.settings import EngineSettings
from stream_app.engine.turn import Turn

logger = logging.getLogger(__name__)

STRETCH_MS = 300_000
"""Event time in one slice of a backlog: sources differ by little more in the log."""
LEAST_SLICE = 16
"""Records that are worth a turn."""
FIRST = -(2**62)
"""Rank of the marks."""


class Fetching(Protocol):
    """The part of the consumer that Intake steers."""

    async def ends(self, tps: Iterable[TP]) -> dict[TP, LogEnd]: ...
    def set_paused(self, tps: set[TP]) -> None: ...


Commit = Callable[[Mapping[TP, int]], Awaitable[None]]


class IntakeRunner:
    """Intake's partitions of one assignment at a time; closed between two."""

    def __init__(
        self,
        processor: IntakeProcessor,
        outbox: Outbox,
        fetching: Fetching,
        commit: Commit,
        settings: EngineSettings,
        fail: FailStop,
    ) -> None:
        self._processor = processor
        self._outbox = outbox
        self._fetching = fetching
        self._commit = commit
        self._settings = settings
        self._fail = fail
        self._sources: dict[TP, str] = {}
        self._handled: dict[TP, int] = {}
        self._committed: dict[TP, int] = {}
        self._pending = Pending()
        self._turn = Turn()
        self._one_batch: dict[TP, asyncio.Lock] = {}
        self._slice_records: dict[TP, int] = {}
        self._epoch = -1
        self._stopping = asyncio.Event()
        self._ticker: asyncio.Task[None] | None = None
        self._commit_due = 0.0
        self.highwaters: dict[TP, int] = {}
        self.records_handled = 0

    @property
    def open(self) -> bool:
        return self._ticker is not None

    @property
    def lags(self) -> dict[TP, int]:
        """Input records not yet handled, per partition."""
        return {tp: max(0, self.highwaters.get(tp, 0) - offset) for tp, offset in self._handled.items()}

    def start(self, sources: Mapping[TP, str], positions: Mapping[TP, int], epoch: int) -> None:
        """Begin an assignment: ``positions`` are where each partition will be delivered from."""
        self._epoch = epoch
        self._sources = dict(sources)
        self._handled = dict(positions)
        self._committed = dict(positions)
        self._stopping.clear()
        self._processor.assigned(set(sources.values()))
        self._ticker = asyncio.get_running_loop().create_task(self._tick_forever())

    async def on_batch(self, batch: PartitionBatch) -> None:
        """Handle a fetched batch in slices; work of another assignment is dropped.

        To be called for several partitions side by side: the source that is furthest behind in event time goes first,
        in slices of about ``STRETCH_MS``, so that the log is nearly in order even when a backlog is read.
        """
        async with self._one_batch.setdefault(batch.tp, asyncio.Lock()):
            await self._handle_batch(batch)

    async def _handle_batch(self, batch: PartitionBatch) -> None:
        source = self._sources.get(batch.tp)
        if source is None or batch.epoch != self._epoch or self._stopping.is_set():
            return
        if batch.start != self._handled[batch.tp]:
            self._fail(f"{source}: a batch from {self._handled[batch.tp]} on was lost, got one from {batch.start}")
            return
        at = 0
        while at < len(batch.records):
            await self._outbox.room()
            await self._turn.take(self._processor.position(source))
            try:
                at = self._handle_slices(batch, source, at)
            finally:
                self._turn.give_back()
            if at < 0:
                return
            await asyncio.sleep(0)
        self._handled[batch.tp] = batch.next
        self.highwaters[batch.tp] = batch.highwater

    def _handle_slices(self, batch: PartitionBatch, source: str, begin: int) -> int:
        """As many slices as the turn lasts; answers where the batch goes on, -1 if it is of another assignment by now."""
        if self._stopping.is_set() or batch.epoch != self._epoch:
            return -1
        at = begin
        while at < min(len(batch.records), begin + self._settings.slice_records):
            before = self._processor.position(source)
            records = batch.records[at : at + self._slice_records.get(batch.tp, LEAST_SLICE)]
            self._outbox.put(self._processor.handle(source, records), self._pending)
            at += len(records)
            position = self._processor.position(source)
            self._slice_records[batch.tp] = self._next_slice(len(records), position - before)
            if not self._turn.may_keep(position):
                break
        self._handled[batch.tp] = batch.records[at - 1].offset + 1
        self.records_handled += at - begin
        return at

    def _next_slice(self, records: int, moved_ms: int) -> int:
        """How many records of the source make about ``STRETCH_MS`` of event time, by those just handled."""
        wanted = records * STRETCH_MS // moved_ms if moved_ms > 0 else 2 * records
        return max(LEAST_SLICE, min(wanted, 4 * records, self._settings.slice_records))

    async def close(self) -> None:
        """End the assignment with a last mark and a last commit."""
        self._stopping.set()
        if self._ticker is not None:
            await self._ticker
            await self._tick({}, commit=True)
        self._ticker = None
        self._sources, self._handled, self._committed, self.highwaters = {}, {}, {}, {}
        self._processor.assigned(set())

    async def _tick_forever(self) -> None:
        try:
            while not self._stopping.is_set():
                started = monotonic()
                complete_at = await self._complete_at()
                commit = started >= self._commit_due
                if commit:
                    self._commit_due = started + self._settings.checkpoint_interval
                await self._tick(complete_at, commit=commit)
                self._steer()
                await self._rest(started + self._settings.mark_interval)
        except BaseException as error:
            self._fail("intake: mark or commit failed", cause=error)
            raise

    async def _rest(self, until: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), max(0.01, until - monotonic()))
        except TimeoutError:
            return

    async def _complete_at(self) -> dict[TP, tuple[int, LogEnd]]:
        """Per partition: the wall clock read first (ms), then the log's end. Empty while the broker is away."""
        clock = int(time.time() * 1000)
        try:
            ends = await self._fetching.ends(self._sources)
        except KafkaError as error:
            logger.info("no end offsets of the inputs (%r): nothing is told complete for now", error)
            return {}
        self.highwaters.update({tp: end.end for tp, end in ends.items() if tp in self._sources})
        return {tp: (clock, end) for tp, end in ends.items()}

    async def _tick(self, ends: Mapping[TP, tuple[int, LogEnd]], *, commit: bool) -> None:
        """With everything handled so far acknowledged: send the marks, and then commit what they cover."""
        await self._turn.take(FIRST)
        try:
            await self._pending.settled()
            complete = {self._sources[tp]: clock for tp, (clock, end) in ends.items() if self._is_complete(tp, end)}
            covered = {tp: offset for tp, offset in self._handled.items() if offset != self._committed[tp]}
            self._outbox.put(self._processor.marks(int(time.time() * 1000), complete, self._outbox.skew_ms), self._pending)
            marks = self._pending.snapshot()
        finally:
            self._turn.give_back()
        if commit and covered:
            await wait_all(marks)
            await self._commit(covered)
            self._committed.update(covered)

    def _is_complete(self, tp: TP, end: LogEnd) -> bool:
        """Everything delivered is handled, and the fetcher stands at the end."""
        handled = self._handled.get(tp, -1)
        return handled >= end.delivered and max(handled, end.position) >= end.end

    def _steer(self) -> None:
        paused = self._processor.paused()
        self._fetching.set_paused({tp for tp, source in self._sources.items() if source in paused})

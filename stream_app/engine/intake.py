"""Running Intake: handle, tell the time, commit, in an order that never claims what is not in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
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

logger = logging.getLogger(__name__)

BACKLOG = 1_000
"""A source that is so many records behind and has none here is about to bring some: the others wait for it, to keep their order."""
GATHERING = 0.003
"""Seconds in which the other partitions of the same fetch come: few large steps and writes instead of many small ones."""
PATIENCE = 3.0
"""Seconds that they wait; order is a matter of speed, never of what comes out."""


class _Waiting:
    """A batch and how much of it is handled."""

    __slots__ = ("at", "batch", "done")

    def __init__(self, batch: PartitionBatch) -> None:
        self.batch = batch
        self.at = 0
        self.done = False


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
        self._turn = asyncio.Lock()
        self._waiting: dict[TP, deque[_Waiting]] = {}
        self._arrived = asyncio.Event()
        self._patient_until = 0.0
        self._given_up: set[str] = set()
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

    def start(self, sources: Mapping[TP, str], positions: Mapping[TP, int], ends: Mapping[TP, int], epoch: int) -> None:
        """Begin an assignment: ``positions`` are where each partition will be delivered from, ``ends`` where their logs end now."""
        self._epoch = epoch
        self._sources = dict(sources)
        self._handled = dict(positions)
        self._committed = dict(positions)
        self.highwaters = dict(ends)
        self._patient_until = 0.0
        self._given_up = set()
        self._stopping.clear()
        self._processor.assigned(set(sources.values()))
        self._ticker = asyncio.get_running_loop().create_task(self._tick_forever())

    async def on_batch(self, batch: PartitionBatch) -> None:
        """Handle a fetched batch; work of another assignment is dropped.

        To be called for several partitions side by side: what they have brought is handled together, in the order of event time, so
        that the log is nearly in order even when a backlog is read.
        """
        source = self._sources.get(batch.tp)
        if source is None or batch.epoch != self._epoch or self._stopping.is_set():
            return
        queue = self._waiting.setdefault(batch.tp, deque())
        expected = queue[-1].batch.next if queue else self._handled[batch.tp]
        if batch.start != expected:
            self._fail(f"{source}: a batch from {expected} on was lost, got one from {batch.start}")
            return
        mine = _Waiting(batch)
        queue.append(mine)
        self._arrived.set()
        await asyncio.sleep(GATHERING)
        while not mine.done:
            await self._outbox.room()
            self._arrived.clear()
            async with self._turn:
                if self._stopping.is_set() or batch.epoch != self._epoch:
                    return
                waits = not mine.done and self._waits_for_others()
                if not mine.done and not waits:
                    self._handle_waiting()
            await (self._one_arrives() if waits else asyncio.sleep(0))

    def _waits_for_others(self) -> bool:
        """Whether a partition with a backlog has brought nothing yet, and patience lasts; who wore it out is not waited for again."""
        missing = {source for tp, source in self._sources.items() if not self._waiting.get(tp) and self._behind(tp)}
        self._given_up &= missing
        missing -= self._given_up
        if not missing or missing <= self._processor.paused():
            self._patient_until = 0.0
            return False
        self._patient_until = self._patient_until or monotonic() + PATIENCE
        if monotonic() < self._patient_until:
            return True
        self._given_up |= missing
        self._patient_until = 0.0
        return False

    async def _one_arrives(self) -> None:
        try:
            await asyncio.wait_for(self._arrived.wait(), PATIENCE / 20)
        except TimeoutError:
            return

    def _behind(self, tp: TP) -> bool:
        return self.highwaters.get(tp, 0) - self._handled[tp] >= BACKLOG

    def _handle_waiting(self) -> None:
        """One synchronous step over what waits."""
        most = self._settings.slice_records
        heads = {tp: queue[0] for tp, queue in self._waiting.items() if queue}
        parts = {self._sources[tp]: head.batch.records[head.at : head.at + most] for tp, head in heads.items()}
        more = {self._sources[tp] for tp, head in heads.items() if len(head.batch.records) > head.at + most or self._more_after(tp)}
        outputs, taken = self._processor.handle_together(parts, more, most)
        self._outbox.put(outputs, self._pending)
        for tp, head in heads.items():
            count = taken[self._sources[tp]]
            self.records_handled += count
            head.at += count
            if head.at == len(head.batch.records):
                head.done = True
                self._waiting[tp].popleft()
                self._handled[tp] = head.batch.next
                self.highwaters[tp] = head.batch.highwater
            elif count:
                self._handled[tp] = head.batch.records[head.at - 1].offset + 1

    def _more_after(self, tp: TP) -> bool:
        """Whether the batches after the first one are here or about to come."""
        return len(self._waiting[tp]) > 1 or self._behind(tp)

    async def close(self) -> None:
        """End the assignment with a last mark and a last commit."""
        self._stopping.set()
        if self._ticker is not None:
            await self._ticker
            await self._tick({}, commit=True)
        self._ticker = None
        self._sources, self._handled, self._committed, self.highwaters = {}, {}, {}, {}
        self._waiting = {}
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
        async with self._turn:
            await self._pending.settled()
            complete = {self._sources[tp]: clock for tp, (clock, end) in ends.items() if self._is_complete(tp, end)}
            covered = {tp: offset for tp, offset in self._handled.items() if offset != self._committed[tp]}
            self._outbox.put(self._processor.marks(int(time.time() * 1000), complete, self._outbox.skew_ms), self._pending)
            marks = self._pending.snapshot()
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

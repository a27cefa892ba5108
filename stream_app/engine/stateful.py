"""One log partition of a stateful processor: handled in slices, published, checkpointed, closed.

Everything that touches the state is synchronous; only sending and waiting is not. So a checkpoint is one
consistent cut without a lock on the state, while records go on being handled during its writes.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from time import monotonic

from agents.ports import Checkpoint, Output, PartitionState, StatefulProcessor
from stream_app.engine.batches import PartitionBatch
from stream_app.engine.durations import Durations
from stream_app.engine.failure import FailStop
from stream_app.engine.outbox import Outbox, Pending
from stream_app.engine.rhythm import QUIET, Flow, Rhythm, until_beat
from stream_app.engine.settings import EngineSettings
from stream_app.engine.slices import in_slices

Commit = Callable[[str, int, int], Awaitable[None]]


class Status(enum.Enum):
    """Where a partition is in its life on this worker."""

    RECOVERING = "recovering"
    OPEN = "open"
    CLOSED = "closed"
    #: Its changelog cannot be read; it stays unread and the worker not ready.
    QUARANTINED = "quarantined"


class StatefulPartition:
    """A partition's state between its assignment and its revocation; ``epoch`` names that assignment."""

    def __init__(
        self,
        processor: StatefulProcessor,
        partition: int,
        epoch: int,
        outbox: Outbox,
        commit: Commit,
        settings: EngineSettings,
        fail: FailStop,
        checkpoint_seconds: Durations,
        handled: Callable[[], int],
    ) -> None:
        """``handled``: records that this worker has handled, of whatever kind: a partition goes on while the ones before it do."""
        self.processor = processor
        self.partition = partition
        self.epoch = epoch
        self.status = Status.RECOVERING
        self.state: PartitionState | None = None
        self.position = -1
        self.highwater = -1
        self.records_handled = 0
        self.recovery_seconds = 0.0
        self.recovery_records = 0
        self.checkpoint_seconds = checkpoint_seconds
        self._outbox = outbox
        self._commit = commit
        self._settings = settings
        self._fail = fail
        self._pending = Pending()
        self._written = -1
        self._rhythm = Rhythm(settings.checkpoint_interval, settings.catching_up_interval, monotonic())
        self._worker_handled = handled
        self._flow = Flow()
        self._next_leap_until = self._leaps_until = float("-inf")
        self.in_backlog = False
        self._stopping = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return f"{self.processor.log}-{self.partition}"

    @property
    def lag(self) -> int:
        """Records of the log not yet handled; 0 while nothing is known."""
        return max(0, self.highwater - self.position) if self.position >= 0 else 0

    def open(self, state: PartitionState, phase: float = 0.0) -> None:
        """Take the recovered state over; the log is delivered from ``state.offset`` on.

        ``phase``: when in each interval its checkpoints come, as a share of it.
        """
        self.state = state
        self.position = self._written = state.offset
        self.status = Status.OPEN
        self._rhythm.begin(monotonic(), phase)
        self._writer = asyncio.get_running_loop().create_task(self._write_forever())

    async def on_batch(self, batch: PartitionBatch) -> None:
        """Handle a fetched batch. Work of another epoch or of a closed partition is dropped."""
        state = self.state
        if state is None or self.status is not Status.OPEN or self._stopping.is_set() or batch.epoch != self.epoch:
            return
        if batch.start != self.position:
            self._fail(f"{self.name}: a batch from {self.position} on was lost, got one from {batch.start}")
            return
        for records in in_slices(batch.records, self._settings.slice_records, state.offset):
            await self._outbox.room()
            if self._stopping.is_set():
                return
            self._outbox.put(self.processor.handle(state, records), self._pending)
            self.records_handled += len(records)
            await asyncio.sleep(0)
        self.position = batch.next
        self.highwater = batch.highwater

    async def close(self) -> None:
        """Write a last checkpoint, commit it and drop the state."""
        self._stopping.set()
        if self._writer is not None:
            await self._writer
        if self.status is Status.OPEN:
            await self._checkpoint()
        self.status = Status.CLOSED
        self.state = None

    async def _write_forever(self) -> None:
        """Publish and checkpoint in turn; any failure, a cancellation too, ends the process."""
        try:
            interval = self._settings.publish_interval
            while not await self._stopped_within(until_beat(interval, monotonic())):
                self._look(quiet=self._flow.look(self._worker_handled()) * interval >= QUIET)
                if self._rhythm.due(monotonic(), in_backlog=self.in_backlog):
                    await self._checkpoint()
                else:
                    await self._publish()
        except BaseException as error:
            self._fail(f"{self.name}: publish or checkpoint failed", cause=error)
            raise

    def _look(self, *, quiet: bool) -> None:
        """In a backlog records come, and event time passes with them so fast that nobody can follow.

        It passes by leaps, with the marks of the partitions before this one, so a backlog lasts from one leap to the next. A leap by
        itself is none: a source that seldom declares its progress makes one each time.
        """
        self.in_backlog = not quiet and (self.processor.catching_up(self.state) or monotonic() < self._leaps_until)

    def _note_leap(self, now: float) -> None:
        """At a checkpoint, before it publishes."""
        if self.processor.catching_up(self.state):
            further = now + 1.5 * self._settings.catching_up_interval
            if now < self._next_leap_until:
                self._leaps_until = further
            self._next_leap_until = further

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _publish(self) -> None:
        """Send the changed panes after everything they follow from was acknowledged; in a backlog the checkpoints do."""
        assert self.state is not None
        if self.in_backlog:
            return
        outputs = self.processor.publish(self.state, whole=False)
        if not outputs:
            return
        await self._pending.settled()
        self._outbox.put(outputs, self._pending)

    async def _checkpoint(self) -> None:
        """One cut in one synchronous step, then outputs and panes, rows, marker, commit: each waits for the one before."""
        assert self.state is not None
        started = monotonic()
        self._note_leap(started)
        turns = self._rhythm.cut(started, in_backlog=self.in_backlog)
        outputs = self.processor.publish(self.state)
        cut = self.processor.checkpoint(self.state, turns)
        await self._pending.settled()
        if cut.offset == self._written and not cut.panes and not cut.rows:
            self._outbox.put(outputs, self._pending)
            return
        await self._write(cut, outputs)
        self._written = cut.offset
        await self._commit(self.processor.log, self.partition, cut.offset)
        self.checkpoint_seconds.observe(monotonic() - started)

    async def _write(self, cut: Checkpoint, outputs: list[Output]) -> None:
        writes = Pending()
        changelog, partition = self.processor.changelog, self.partition
        self._outbox.put(outputs, writes)
        self._outbox.put_changelog(changelog, partition, cut.panes, writes)
        await writes.settled()
        self._outbox.put_changelog(changelog, partition, cut.rows, writes)
        await writes.settled()
        self._outbox.put_changelog(changelog, partition, [cut.marker], writes)
        await writes.settled()

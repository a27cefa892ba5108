"""Running Rollup: read back, then publish; what one turn publishes is sent after the acknowledgements of the turn before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import monotonic

from stream_app.engine.batches import PartitionBatch
from stream_app.engine.failure import FailStop
from stream_app.engine.outbox import Outbox, Pending
from stream_app.engine.processors import RollupProcessor
from stream_app.engine.rhythm import QUIET, Flow
from stream_app.engine.settings import EngineSettings
from stream_app.engine.slices import in_slices

CATCHING_UP = 60_000
"""Event time (ms) per second that only a backlog or a replay makes: nobody can follow what is published."""


class RollupRunner:
    """Rollup during one assignment of the panes topic; it publishes only once it has read everything back."""

    def __init__(
        self, processor: RollupProcessor, outbox: Outbox, settings: EngineSettings, fail: FailStop, feeding: Callable[[], bool | None]
    ) -> None:
        """``feeding``: whether a partition of this worker is in a backlog, so that panes are to come; ``None`` if it has none."""
        self.processor = processor
        self._feeding = feeding
        self._outbox = outbox
        self._settings = settings
        self._fail = fail
        self._pending = Pending()
        self.assigned = False
        self._epoch = -1
        self._positions: dict[int, int] = {}
        self._stopping = asyncio.Event()
        self._publisher: asyncio.Task[None] | None = None
        self.highwaters: dict[int, int] = {}
        self.records_handled = 0

    @property
    def open(self) -> bool:
        """Whether it is the active one and publishes."""
        return self._publisher is not None

    @property
    def lags(self) -> dict[int, int]:
        return {p: max(0, self.highwaters.get(p, 0) - position) for p, position in self._positions.items()}

    def begin(self) -> None:
        """The panes topic is assigned: reading back starts."""
        self.assigned = True
        self.processor.assigned()

    def start(self, positions: dict[int, int], epoch: int) -> None:
        """Panes and published topics were read; the panes topic goes on at ``positions``."""
        self._epoch = epoch
        self._positions = dict(positions)
        self._stopping.clear()
        self.processor.start_publishing()
        self._publisher = asyncio.get_running_loop().create_task(self._publish_forever())

    async def on_batch(self, batch: PartitionBatch) -> None:
        """Read a fetched batch of panes; work of another assignment is dropped."""
        if self._publisher is None or batch.epoch != self._epoch or self._stopping.is_set():
            return
        if batch.start != self._positions[batch.tp.partition]:
            self._fail(f"panes: a batch from {self._positions[batch.tp.partition]} on was lost")
            return
        for records in in_slices(batch.records, self._settings.slice_records):
            self.processor.read_panes(records)
            self.records_handled += len(records)
            await asyncio.sleep(0)
            if self._stopping.is_set() or batch.epoch != self._epoch:
                return
        self._positions[batch.tp.partition] = batch.next
        self.highwaters[batch.tp.partition] = batch.highwater

    async def close(self) -> None:
        """Stop publishing; what was sent last may still be on its way and is complete in itself."""
        self._stopping.set()
        if self._publisher is not None:
            await self._publisher
            self._publisher = None
        self._positions, self.highwaters = {}, {}
        self.assigned = False
        self.processor.revoked()

    async def _publish_forever(self) -> None:
        try:
            published = monotonic()
            while not self._stopping.is_set():
                seconds, published = monotonic() - published, monotonic()
                rows = self.processor.publish(int(time.time() * 1000))
                await self._pending.settled()
                self._outbox.put(rows, self._pending)
                await self._rest(catching_up=self.processor.moved > CATCHING_UP * max(1.0, seconds))
        except BaseException as error:
            self._fail("rollup: publishing failed", cause=error)
            raise

    async def _rest(self, *, catching_up: bool) -> None:
        settings = self._settings
        if not catching_up:
            await self._stopped_within(settings.rollup_behind_interval if self.processor.behind else settings.rollup_interval)
            return
        until, flow = monotonic() + settings.catching_up_interval, Flow()
        while not await self._stopped_within(settings.publish_interval) and monotonic() < until:
            quiet = flow.look(self.records_handled) * settings.publish_interval
            feeding = self._feeding()
            if not feeding and quiet >= (settings.checkpoint_interval if feeding is None else QUIET):
                return

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

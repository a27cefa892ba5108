"""Running Rollup: read back, then publish; what one turn publishes is sent after the acknowledgements of the turn before."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from time import monotonic

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from stream_app.engine.batches import PartitionBatch
from stream_app.engine.failure import FailStop
from stream_app.engine.foreign import OwnRecords
from stream_app.engine.outbox import Outbox
from stream_app.engine.processors import RollupProcessor
from stream_app.engine.published import PublishedTopics
from stream_app.engine.reading import Reader
from stream_app.engine.rhythm import QUIET, Flow
from stream_app.engine.settings import EngineSettings
from stream_app.engine.slices import in_slices

logger = logging.getLogger(__name__)

CATCHING_UP = 60_000
"""Event time (ms) per second that only a backlog or a replay makes: nobody can follow what is published."""

SHORTEST, LONGEST = 0.8, 1.5
"""From one publication to the next, of the interval: with some room, so that it follows the panes of the partitions."""
GATHERING = 0.2
"""From the first panes of a turn to its publication, of the interval."""


class RollupRunner:
    """Rollup during one assignment of the panes topic; it publishes only once it has read everything back."""

    def __init__(
        self,
        processor: RollupProcessor,
        outbox: Outbox,
        topics: PublishedTopics,
        settings: EngineSettings,
        fail: FailStop,
        feeding: Callable[[], bool | None],
    ) -> None:
        """``feeding``: whether a partition of this worker is in a backlog, so that panes are to come; ``None`` if it has none."""
        self.processor = processor
        self._feeding = feeding
        self._outbox = outbox
        self._topics = topics
        self._settings = settings
        self._fail = fail
        self._own = OwnRecords({})
        self.assigned = False
        self._epoch = -1
        self._positions: dict[int, int] = {}
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()
        self._came_at = self._began = 0.0
        self._publisher: asyncio.Task[None] | None = None
        self._observer: asyncio.Task[None] | None = None
        self.highwaters: dict[int, int] = {}
        self.records_handled = 0

    @property
    def open(self) -> bool:
        """Whether it is the active one and publishes."""
        return self._publisher is not None

    @property
    def lags(self) -> dict[int, int]:
        return {p: max(0, self.highwaters.get(p, 0) - position) for p, position in self._positions.items()}

    async def read_back(self, reader: Reader, panes: list[TopicPartition]) -> tuple[dict[TopicPartition, int], dict[int, int]]:
        """The panes topic is assigned: read published topics and panes to their ends; answers where each partition of them goes on."""
        self.assigned = True
        self.processor.assigned()
        published = await self._topics.read_back(reader)
        ends = await reader.read_to_end(panes, dict.fromkeys(panes, self.processor.read_panes))
        return published, {partition.partition: end for partition, end in ends.items()}

    def start(self, positions: dict[int, int], published: Mapping[TopicPartition, int], epoch: int) -> None:
        """Panes were read up to ``positions``, where they go on, and ``published`` topics up to there."""
        self._epoch = epoch
        self._positions = dict(positions)
        self._stopping.clear()
        self._own = OwnRecords(published)
        self.processor.start_publishing()
        self._publisher = asyncio.create_task(self._publish_forever())
        self._observer = asyncio.create_task(self._observe_ends(self._own))

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
            if not self._woken.is_set():
                self._came_at = monotonic()
                self._woken.set()
            await asyncio.sleep(0)
            if self._stopping.is_set() or batch.epoch != self._epoch:
                return
        self._positions[batch.tp.partition] = batch.next
        self.highwaters[batch.tp.partition] = batch.highwater

    async def close(self) -> None:
        """Stop publishing; what was sent last may still be on its way and is complete in itself."""
        self._stopping.set()
        self._woken.set()
        if self._observer is not None:
            self._observer.cancel()
            self._observer = None
        if self._publisher is not None:
            await self._publisher
            self._publisher = None
        self._positions, self.highwaters = {}, {}
        self.assigned = False
        self.processor.revoked()

    async def _publish_forever(self) -> None:
        try:
            self._began = monotonic()
            while not self._stopping.is_set():
                seconds, self._began = monotonic() - self._began, monotonic()
                self._woken.clear()
                rows = self.processor.publish(int(time.time() * 1000))
                await self._own.pending.settled()
                await self._read_foreign()
                self._outbox.put(rows, self._own.pending)
                await self._rest(catching_up=self.processor.moved > CATCHING_UP * max(1.0, seconds))
        except BaseException as error:
            self._fail("rollup: publishing failed", cause=error)
            raise

    async def _read_foreign(self) -> None:
        """What others have written to our topics is read like what was there before us; the next publication puts it right."""
        foreign = self._own.foreign()
        if foreign:
            words = ", ".join(f"{sum(map(len, spans))} of {partition.topic}" for partition, spans in foreign.items())
            logger.warning("another worker has written to topics of this one: reading %s", words, extra={"event": "foreign_records"})
            await self._topics.read(foreign)

    async def _observe_ends(self, own: OwnRecords) -> None:
        while True:
            await asyncio.sleep(self._settings.foreign_interval)
            try:
                own.seen(await self._topics.ends(own.partitions))
            except KafkaError as error:
                logger.info("the ends of the published topics are not known at the moment (%r)", error)
            except Exception:  # whatever it was, it concerns this question alone, and the next one comes in a second
                logger.warning("the ends of the published topics cannot be asked for", exc_info=True, extra={"event": "ends_unknown"})

    async def _panes_come(self) -> None:
        """Partitions publish at the same instant: soon after the first panes of a turn all of them are here."""
        interval = self._settings.rollup_interval
        earliest = max(self._began + interval * SHORTEST, monotonic() + interval * GATHERING)
        latest = max(self._began + interval * LONGEST, earliest)
        try:
            await asyncio.wait_for(self._woken.wait(), latest - monotonic())
        except TimeoutError:
            return
        await self._stopped_within(max(self._came_at + interval * GATHERING, earliest) - monotonic())

    async def _rest(self, *, catching_up: bool) -> None:
        settings = self._settings
        if not catching_up:
            if self.processor.behind:
                await self._stopped_within(settings.rollup_behind_interval)
            else:
                await self._panes_come()
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

"""What this worker holds between one rebalance and the next, and how it gets and gives it up.

Each assignment has an epoch. Whatever arrives with another epoch is late work and dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiokafka.structs import TopicPartition
from faust.types import TP

from agents.ports import StatefulProcessor
from stream_app.engine import garbage
from stream_app.engine.batches import LogEnd, PartitionBatch
from stream_app.engine.durations import Durations
from stream_app.engine.failure import FailStop, RefusalError
from stream_app.engine.faust_transport import BatchConsumer
from stream_app.engine.intake import IntakeRunner
from stream_app.engine.outbox import Outbox
from stream_app.engine.processors import IntakeProcessor, RollupProcessor
from stream_app.engine.published import PublishedTopics
from stream_app.engine.reading import LogRange, Reader, Result, reading
from stream_app.engine.recovery import Recovery, out_of_range
from stream_app.engine.rollup import RollupRunner
from stream_app.engine.settings import EngineSettings
from stream_app.engine.stateful import StatefulPartition, Status

logger = logging.getLogger(__name__)


class Assignment:
    """The partitions of this worker, of all kinds of processors, through all its assignments."""

    def __init__(
        self,
        settings: EngineSettings,
        consumer: Callable[[], BatchConsumer],
        outbox: Outbox,
        fail: FailStop,
        intake: IntakeProcessor | None,
        stateful: Sequence[StatefulProcessor],
        rollup: RollupProcessor | None,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._outbox = outbox
        self._fail = fail
        self._stateful = {settings.topic(processor.log): processor for processor in stateful}
        self._inputs = {settings.topic(name): name for name in settings.inputs} if intake else {}
        self._panes = settings.topic(settings.panes)
        self.intake = IntakeRunner(intake, outbox, _Steering(consumer), self._commit, settings, fail) if intake else None
        self.rollup: RollupRunner | None = None
        if rollup is not None:
            published = PublishedTopics(rollup, consumer, outbox, settings)
            self.rollup = RollupRunner(rollup, outbox, published, settings, fail, self._feeding)
        self.epoch = 0
        self.assigned: set[TP] | None = None
        self.partitions: dict[TP, StatefulPartition] = {}
        self.checkpoint_seconds = {processor.name: Durations() for processor in stateful}
        self._opening: list[asyncio.Future[None]] = []
        self._reading_inputs: set[asyncio.Future[None]] = set()
        self._closing = asyncio.Lock()
        self._handled_before: Counter[str] = Counter()

    @property
    def ready(self) -> bool:
        """Everything assigned is recovered and open. A worker with nothing assigned is ready."""
        if self.assigned is None or any(not task.done() for task in self._opening):
            return False
        return all(partition.status is Status.OPEN for partition in self.partitions.values())

    def topics(self) -> list[str]:
        """The real topics to consume."""
        return [*self._inputs, *self._stateful, *([self._panes] if self.rollup else [])]

    def records_handled(self) -> Mapping[str, int]:
        """Records handled since the start, by processor (``intake`` and ``rollup`` beside the stateful ones)."""
        return self._handled_before + self._handled_now()

    def _handled_now(self) -> Counter[str]:
        counts = Counter({partition.processor.name: 0 for partition in self.partitions.values()})
        for partition in self.partitions.values():
            counts[partition.processor.name] += partition.records_handled
        if self.intake is not None:
            counts["intake"] = self.intake.records_handled
        if self.rollup is not None:
            counts["rollup"] = self.rollup.records_handled
        return counts

    def _logs_handled(self) -> int:
        """Records of inputs and logs handled in this assignment."""
        intake = 0 if self.intake is None else self.intake.records_handled
        return intake + sum(partition.records_handled for partition in self.partitions.values())

    async def on_batch(self, batch: PartitionBatch) -> None:
        """Give a batch to whom it belongs. Intake's are not waited for: it chooses among those of all its partitions."""
        if self.intake is None or batch.tp.topic not in self._inputs:
            await self._handle(batch)
            return
        task = asyncio.ensure_future(self._handle(batch))
        self._reading_inputs.add(task)
        task.add_done_callback(self._reading_inputs.discard)

    async def _handle(self, batch: PartitionBatch) -> None:
        """Whatever escapes ends the process."""
        try:
            await self._dispatch(batch)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # a processor's bug must not lose the batch in silence
            self._fail(f"handling a batch of {batch.tp.topic}-{batch.tp.partition} failed", cause=error)
        finally:
            self._consumer().batch_done(batch.tp)

    async def _dispatch(self, batch: PartitionBatch) -> None:
        if batch.tp in self.partitions:
            await self.partitions[batch.tp].on_batch(batch)
        elif self.intake is not None and batch.tp.topic in self._inputs:
            await self.intake.on_batch(batch)
        elif self.rollup is not None and batch.tp.topic == self._panes:
            await self.rollup.on_batch(batch)

    def assign(self, assigned: set[TP]) -> None:
        """Begin a new assignment; its partitions open in the background, each kind on its own."""
        self.epoch += 1
        self.assigned = set(assigned)
        self.partitions = {tp: self._new_partition(tp) for tp in sorted(assigned) if tp.topic in self._stateful}
        inputs = [tp for tp in assigned if tp.topic in self._inputs]
        panes = [tp for tp in assigned if tp.topic == self._panes]
        if self.partitions:
            self._start(self._open_stateful(list(self.partitions.values()), self.epoch))
        if self.intake is not None and inputs:
            self._start(self._open_intake(self.intake, inputs, self.epoch))
        if self.rollup is not None and panes:
            self._start(self._open_rollup(self.rollup, panes, self.epoch))

    async def close(self) -> None:
        """Give everything up: last checkpoints and commits, then no state is left. Repeats are harmless."""
        async with self._closing:
            await self._close()

    async def _close(self) -> None:
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        self._opening = []
        self.assigned = None
        if self.intake is not None and self.intake.open:
            await self.intake.close()
        await asyncio.gather(*(partition.close() for partition in self.partitions.values()))
        if self.rollup is not None and self.rollup.assigned:
            await self.rollup.close()
        for partition in self.partitions.values():
            self._handled_before[partition.processor.name] += partition.records_handled
        self.partitions = {}

    def _feeding(self) -> bool | None:
        """For Rollup."""
        return any(partition.in_backlog for partition in self.partitions.values()) if self.partitions else None

    def _new_partition(self, tp: TP) -> StatefulPartition:
        processor = self._stateful[tp.topic]
        return StatefulPartition(
            processor,
            tp.partition,
            self.epoch,
            self._outbox,
            self._commit_log,
            self._settings,
            self._fail,
            self.checkpoint_seconds[processor.name],
            self._logs_handled,
        )

    def _start(self, work: Awaitable[None]) -> None:
        self._opening.append(asyncio.ensure_future(self._guarded(work)))

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except RefusalError as refusal:
            self._fail(str(refusal), refusal.code)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # an unopened partition would stay silent for ever
            self._fail("opening the assigned partitions failed", cause=error)

    async def _open_stateful(self, partitions: list[StatefulPartition], epoch: int) -> None:
        recovered = await self._reading(lambda reader: Recovery(self._settings, reader).recover(partitions))
        garbage.collect()
        for number, (partition, state) in enumerate(recovered):
            partition.open(state, number / len(recovered))
            tp = TP(self._settings.topic(partition.processor.log), partition.partition)
            await self._consumer().open_partition(tp, epoch, state.offset)

    async def _open_intake(self, intake: IntakeRunner, tps: list[TP], epoch: int) -> None:
        held = await self._reading(lambda reader: reader.ranges(_plain(tps)))
        positions = {tp: await self._input_position(tp, held[TopicPartition(*tp)]) for tp in tps}
        sources = {tp: f"{self._inputs[tp.topic]}-{tp.partition}" for tp in tps}
        intake.start(sources, positions, {tp: held[TopicPartition(*tp)].end for tp in tps}, epoch)
        for tp, position in positions.items():
            await self._consumer().open_partition(tp, epoch, position)

    async def _input_position(self, tp: TP, held: LogRange) -> int:
        """The committed offset; the beginning for a group that never committed."""
        committed = await self._consumer().committed_offset(tp)
        if committed is None:
            return held.begin
        if held.begin <= committed <= held.end:
            return committed
        end = await self._reading(lambda reader: reader.true_end(TopicPartition(*tp)))
        if held.begin <= committed <= end:
            return committed
        raise out_of_range(f"input {tp.topic}-{tp.partition}", committed, held, f"reset the offsets of group {self._settings.group_id}")

    async def _open_rollup(self, rollup: RollupRunner, tps: list[TP], epoch: int) -> None:
        published, panes = await self._reading(lambda reader: rollup.read_back(reader, _plain(tps)))
        rollup.start(panes, published, epoch)
        for tp in tps:
            await self._consumer().open_partition(tp, epoch, panes[tp.partition])

    async def _reading(self, read: Callable[[Reader], Awaitable[Result]]) -> Result:
        return await reading(self._settings, read)

    async def _commit(self, offsets: Mapping[TP, int]) -> None:
        """Commit to the group; when it has moved on, the next owner reads some records again, harmlessly."""
        if not await self._consumer().commit_offsets(offsets):
            logger.info("the group has moved on: offsets not committed, their partitions are about to be revoked")

    async def _commit_log(self, log: str, partition: int, offset: int) -> None:
        await self._commit({TP(self._settings.topic(log), partition): offset})


class _Steering:
    """What Intake may do with the consumer, which exists only once Faust has started."""

    def __init__(self, consumer: Callable[[], BatchConsumer]) -> None:
        self._consumer = consumer

    async def ends(self, tps: Iterable[TP]) -> dict[TP, LogEnd]:
        return await self._consumer().ends(tps)

    def set_paused(self, tps: set[TP]) -> None:
        self._consumer().set_paused(tps)


def _plain(tps: Iterable[TP]) -> list[TopicPartition]:
    return [TopicPartition(tp.topic, tp.partition) for tp in tps]

"""From an assignment to open partitions: changelogs read, start offsets checked against what the logs hold."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from aiokafka.structs import TopicPartition

from agents.ports import PartitionState, Record, Recovering
from stream_app.engine.failure import ExitCode, RefusalError
from stream_app.engine.reading import LogRange, Reader
from stream_app.engine.settings import EngineSettings
from stream_app.engine.stateful import StatefulPartition, Status

logger = logging.getLogger(__name__)


class Recovery:
    """Recovers the stateful partitions of one assignment side by side."""

    def __init__(self, settings: EngineSettings, reader: Reader) -> None:
        self._settings = settings
        self._reader = reader

    async def recover(self, partitions: Sequence[StatefulPartition]) -> list[tuple[StatefulPartition, PartitionState]]:
        """The states, each with an offset that its log holds. Quarantines what cannot be read.

        Raises ``RefusalError`` when a state points outside its log.
        """
        started = monotonic()
        intakes = {self._changelog(partition): _Absorber(partition) for partition in partitions}
        await self._reader.read_to_end(intakes, {tp: absorber.absorb for tp, absorber in intakes.items()})
        states = [(a.partition, state) for a in intakes.values() if (state := a.complete()) is not None]
        await self._check_offsets(states)
        for partition in partitions:
            partition.recovery_seconds = monotonic() - started
        logger.info(
            "recovered %d partitions from %d records in %.1f s",
            len(states),
            sum(partition.recovery_records for partition in partitions),
            monotonic() - started,
        )
        return states

    def _changelog(self, partition: StatefulPartition) -> TopicPartition:
        return TopicPartition(self._settings.topic(partition.processor.changelog), partition.partition)

    def _log(self, partition: StatefulPartition) -> TopicPartition:
        return TopicPartition(self._settings.topic(partition.processor.log), partition.partition)

    async def _check_offsets(self, states: Iterable[tuple[StatefulPartition, PartitionState]]) -> None:
        by_log = {self._log(partition): (partition, state) for partition, state in states}
        ranges = await self._reader.ranges(by_log)
        for tp, (partition, state) in by_log.items():
            state.offset = max(state.offset, 0)
            held = await self._with_true_end(tp, ranges[tp], state.offset)
            partition.highwater = held.end
            if not held.holds(state.offset):
                raise out_of_range(partition.name, state.offset, held, f"rebuild {partition.processor.changelog}")

    async def _with_true_end(self, tp: TopicPartition, held: LogRange, offset: int) -> LogRange:
        if offset <= held.end:
            return held
        return LogRange(held.begin, max(held.end, await self._reader.true_end(tp)))


def out_of_range(name: str, offset: int, held: LogRange, way_out: str) -> RefusalError:
    """The worker must stop: going on would lose or repeat records in silence."""
    return RefusalError(
        f"{name}: reading should go on at offset {offset}, but the topic holds {held.begin} to {held.end} "
        f"(its retention passed, or it was made anew). Way out: {way_out}",
        ExitCode.OFFSET_OUT_OF_RANGE,
    )


class _Absorber:
    """One partition's changelog records on their way into its processor."""

    def __init__(self, partition: StatefulPartition) -> None:
        self.partition = partition
        partition.recovery_records = 0
        self._recovering: Recovering = partition.processor.recover(partition.partition)

    def absorb(self, records: Sequence[Record]) -> None:
        if self.partition.status is Status.QUARANTINED:
            return
        absorb = self._recovering.absorb
        offset = -1
        try:
            for record in records:
                offset = record.offset
                absorb(record.key or b"", record.value)
        except Exception as error:  # any record that cannot be merged makes the rest meaningless
            self._quarantine(f"record at offset {offset} of {self.partition.processor.changelog}", error)
        self.partition.recovery_records += len(records)

    def complete(self) -> PartitionState | None:
        if self.partition.status is Status.QUARANTINED:
            return None
        return self._guarded(self._recovering.complete)

    def _guarded(self, complete: Callable[[], PartitionState]) -> PartitionState | None:
        try:
            return complete()
        except Exception as error:  # as above
            self._quarantine(f"state in {self.partition.processor.changelog}", error)
            return None

    def _quarantine(self, what: str, error: Exception) -> None:
        self.partition.status = Status.QUARANTINED
        logger.error(
            "%s is quarantined: the %s cannot be read (%r). It is not processed and this worker is not ready. "
            "Way out: rebuild its state, or repair the changelog, then restart",
            self.partition.name,
            what,
            error,
            exc_info=error,
            extra={"event": "partition_quarantined"},
        )

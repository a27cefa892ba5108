"""The topics that Rollup writes, read: to their ends before it publishes, and where others have written since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from aiokafka.structs import TopicPartition

from agents.ports import Record
from stream_app.engine.faust_transport import BatchConsumer
from stream_app.engine.outbox import Outbox
from stream_app.engine.processors import RollupProcessor
from stream_app.engine.reading import Absorb, Reader, reading
from stream_app.engine.settings import EngineSettings


class PublishedTopics:
    """``consumer`` is asked for ends only; records come through readers of their own."""

    def __init__(self, processor: RollupProcessor, consumer: Callable[[], BatchConsumer], outbox: Outbox, settings: EngineSettings) -> None:
        self._processor = processor
        self._consumer = consumer
        self._outbox = outbox
        self._settings = settings

    async def read_back(self, reader: Reader) -> dict[TopicPartition, int]:
        """Read one topic after the other, each to its end; answers the position after it."""
        ends: dict[TopicPartition, int] = {}
        for name in self._settings.published:
            partitions = [TopicPartition(self._settings.topic(name), p) for p in range(self._outbox.partitions(name))]
            ends |= await reader.read_to_end(partitions, {partition: self._absorb(partition) for partition in partitions})
        return ends

    async def ends(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where each ends now, or a little before. Raises ``KafkaError``."""
        return await self._consumer().log_ends(partitions)

    async def read(self, offsets: Mapping[TopicPartition, Sequence[range]]) -> None:
        """Give the processor the records at these offsets."""
        absorb = {partition: self._absorb(partition, spans) for partition, spans in offsets.items()}
        begins = {partition: spans[0].start for partition, spans in offsets.items()}
        await reading(self._settings, lambda reader: reader.read_to_end(offsets, absorb, begins))

    def _absorb(self, partition: TopicPartition, spans: Sequence[range] | None = None) -> Absorb:
        name = next(name for name in self._settings.published if self._settings.topic(name) == partition.topic)

        def absorb(records: Sequence[Record]) -> None:
            chosen = records if spans is None else [record for record in records if any(record.offset in span for span in spans)]
            self._processor.read_published(name, chosen)

        return absorb

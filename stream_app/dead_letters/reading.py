"""The dead-letter topic in order, up to its end as of the beginning; and single records of any topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.ports import Record
from stream_app.dead_letters.letters import Letter, letter_of, replayed_in
from stream_app.engine.settings import EngineSettings
from stream_app.engine.topics import partition_counts
from stream_app.kafka_access.granted import require_access
from stream_app.kafka_access.rights import Right

Advance = Callable[[int], None]
"""Told how many more records were read."""

LETTERS = "dead-letters"
_PARTITION = 0
_RECORDS_AT_ONCE = 500
_POLL_MILLISECONDS = 200
_EMPTY_POLLS = 100
"""So many empty answers in a row (20 s) mean that the broker is gone."""


class SilentTopicError(Exception):
    """A topic must hold more and gives nothing; the message says what to do."""


class LetterBox:
    """Reads in no group; nothing is committed. ``partitions``: how many each topic has; 0 for one that there is not."""

    def __init__(self, engine: EngineSettings, consumer: AIOKafkaConsumer, partitions: Mapping[str, int]) -> None:
        self.topic = engine.topic(LETTERS)
        self.partitions = Counter(partitions)
        self._consumer = consumer
        self._letters = TopicPartition(self.topic, _PARTITION)

    async def records(self) -> int:
        """How many records the topic holds."""
        begins = await self._consumer.beginning_offsets([self._letters])
        ends = await self._consumer.end_offsets([self._letters])
        return int(ends[self._letters] - begins[self._letters])

    async def batches(self, advance: Advance = lambda _: None) -> AsyncIterator[Sequence[Record]]:
        """Every record that the topic holds now, some hundred at a time. Raises ``SilentTopicError``."""
        at = (await self._consumer.beginning_offsets([self._letters]))[self._letters]
        self._seek(self._letters, at)
        end = None
        while end is None or at < end:
            if self._consumer.assignment() != {self._letters}:  # ``record`` was asked for in between
                self._seek(self._letters, at)
            records = await self._next(self._letters, _RECORDS_AT_ONCE)
            end = self._consumer.highwater(self._letters) if end is None else end
            at = await self._consumer.position(self._letters)
            advance(len(records))
            yield records

    async def _next(self, partition: TopicPartition, most: int) -> Sequence[Record]:
        """The next records; none at the end of the partition."""
        for _ in range(_EMPTY_POLLS):
            fetched = await self._consumer.getmany(partition, timeout_ms=_POLL_MILLISECONDS, max_records=most)
            end = self._consumer.highwater(partition)
            if fetched or (end is not None and await self._consumer.position(partition) >= end):
                records: Sequence[Record] = fetched.get(partition, ())
                return records
        raise SilentTopicError(f"{partition.topic} {partition.partition} gave nothing for a while: is the broker up?")

    async def letter(self, offset: int) -> Letter | None:
        """The letter at an offset; ``None`` if there is none."""
        record = await self.record(self._letters, offset)
        return None if record is None or replayed_in(record) is not None else letter_of(record)

    async def record(self, partition: TopicPartition, offset: int) -> Record | None:
        """The record at an offset of any partition; ``None`` if it is not held (any more). Raises ``SilentTopicError``."""
        if partition.partition >= self.partitions[partition.topic]:
            return None
        begins = await self._consumer.beginning_offsets([partition])
        ends = await self._consumer.end_offsets([partition])
        if not begins[partition] <= offset < ends[partition]:
            return None
        self._seek(partition, offset)
        records = await self._next(partition, 1)
        return records[0] if records and records[0].offset == offset else None

    def _seek(self, partition: TopicPartition, offset: int) -> None:
        self._consumer.assign([partition])
        self._consumer.seek(partition, offset)


@asynccontextmanager
async def letter_box(engine: EngineSettings) -> AsyncIterator[LetterBox]:
    """The dead letters for as long as the context lasts; the topic must exist. Raises ``AccessDeniedError``."""
    await require_access(engine.bootstrap_servers, engine.security, [Right("topic", engine.topic(LETTERS), "Read")])
    consumer = AIOKafkaConsumer(
        bootstrap_servers=engine.bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="none",
        request_timeout_ms=int(engine.request_timeout * 1000),
        **engine.security,
    )
    await consumer.start()
    try:
        yield LetterBox(engine, consumer, await partition_counts(engine))
    finally:
        await consumer.stop()

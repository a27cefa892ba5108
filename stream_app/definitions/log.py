"""The records of definitions in the partitions of both logs: which hold now, and new ones, of which only one can be the next.

One partition, the first of ``events``, decides between those who write at the same time: a version is what its first record there says,
and only that record is written into the others. So every partition comes to the same definitions, whoever wrote and whoever died.

    publisher A   reads 1 ── writes 2a ──────────── reads 2a: mine ────── 2a into all others
    publisher B      reads 1 ──────── writes 2b ──── reads 2a: not mine, stops
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition

from agents.ports import Record
from models.durability.recovery import MARKER, CorruptChangelogError
from models.events.canonical import Definitions
from stream_app.engine.reading import Reader
from stream_app.engine.settings import EngineSettings
from stream_app.wire import canonical
from stream_app.wire.changelog import decode_marker

LOGS: Mapping[str, str] = {"events": "cases-changelog", "customer-log": "customers-changelog"}
"""Each log with the changelog whose markers say what held in it at the last checkpoint."""
MARKER_WITHIN = 200
"""Records from the end of a changelog in which its last marker usually is: every checkpoint ends with one."""


class DefinitionsError(Exception):
    """Definitions could not be read or written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one log partition says. ``definitions`` are ``None`` where it is empty, or where retention took them before any checkpoint."""

    definitions: Definitions | None
    empty: bool


@asynccontextmanager
async def definitions_log(engine: EngineSettings, log_partitions: int) -> AsyncIterator[DefinitionsLog]:
    """The log for as long as the context lasts. All logs and changelogs must exist."""
    async with Reader(engine) as reader:
        yield DefinitionsLog(engine, log_partitions, reader)


class DefinitionsLog:
    """Reads in no group. ``partitions``: of both logs, the one that decides first."""

    def __init__(self, engine: EngineSettings, log_partitions: int, reader: Reader) -> None:
        self.partitions = [TopicPartition(engine.topic(log), number) for log in LOGS for number in range(log_partitions)]
        self._changelogs = {engine.topic(log): engine.topic(changelog) for log, changelog in LOGS.items()}
        self._engine = engine
        self._reader = reader
        self._read_to: dict[TopicPartition, int] = {}

    # -- reading ----------------------------------------------------------------------------------------

    async def holding(self, partition: TopicPartition) -> Holding:
        """What holds in a partition: by its processor's last checkpoint, and by the log after that. Raises ``DefinitionsError``."""
        span = (await self._reader.ranges([partition]))[partition]
        changelog = TopicPartition(self._changelogs[partition.topic], partition.partition)
        known, offset = await self._at_last_checkpoint(changelog)
        found = await self._read(partition, min(max(offset, span.begin), span.end))
        for definitions in found:
            if known is None or definitions.version > known.version:
                known = definitions
        return Holding(known, empty=self._read_to[partition] == 0)

    async def published(self) -> Definitions | None:
        """What holds, by the partition that decides; by the next one where that does not say."""
        for partition in self.partitions:
            definitions = (await self.holding(partition)).definitions
            if definitions is not None:
                return definitions
        return None

    async def empty(self) -> list[TopicPartition]:
        """Partitions into which nothing was ever written."""
        ranges = await self._reader.ranges(self.partitions)
        return [partition for partition, span in ranges.items() if span.end == 0]

    async def _at_last_checkpoint(self, changelog: TopicPartition) -> tuple[Definitions | None, int]:
        """Definitions and log offset of the last marker; none and 0 before the first checkpoint."""
        span = (await self._reader.ranges([changelog]))[changelog]
        within = MARKER_WITHIN
        while True:
            begin = max(span.begin, span.end - within)
            value = await self._last_marker(changelog, begin)
            if value is not None:
                return _definitions_in(value)
            if begin == span.begin:
                return None, 0
            within *= 10

    async def _last_marker(self, changelog: TopicPartition, begin: int) -> bytes | None:
        found: list[bytes] = []

        def absorb(records: Sequence[Record]) -> None:
            found.extend(record.value for record in records if record.key == MARKER and record.value is not None)

        await self._reader.read_to_end([changelog], {changelog: absorb}, {changelog: begin})
        return found[-1] if found else None

    async def _read(self, partition: TopicPartition, begin: int) -> list[Definitions]:
        """Definitions from an offset to the end, in order; the end is remembered."""
        found: list[Definitions] = []

        def absorb(records: Sequence[Record]) -> None:
            found.extend(_definitions_among(partition, records))

        self._read_to |= await self._reader.read_to_end([partition], {partition: absorb}, {partition: begin})
        return found

    # -- writing ----------------------------------------------------------------------------------------

    async def establish(self, definitions: Definitions) -> Definitions:
        """Write a version where it is decided which one holds; returns the one that does, which may be somebody else's.

        Call ``holding`` or ``published`` before: a version is the next one only after what was read then.
        """
        decides = self.partitions[0]
        begin = self._read_to.get(decides, 0)
        await self.write(definitions, [decides])
        return next(found for found in await self._read(decides, begin) if found.version == definitions.version)

    async def write(self, definitions: Definitions, partitions: Iterable[TopicPartition]) -> None:
        """Into these partitions, each acknowledged by all replicas before the next."""
        value = canonical.encode(definitions)
        producer = AIOKafkaProducer(bootstrap_servers=self._engine.bootstrap_servers, acks="all", **self._engine.security)
        await producer.start()
        try:
            for partition in partitions:
                await producer.send_and_wait(partition.topic, value, partition=partition.partition)
        finally:
            await producer.stop()


def _definitions_in(marker: bytes) -> tuple[Definitions | None, int]:
    try:
        found = decode_marker(marker)
    except CorruptChangelogError as error:
        raise DefinitionsError(str(error)) from error
    return (found.definitions if found.definitions.version else None), found.offset


def _definitions_among(partition: TopicPartition, records: Sequence[Record]) -> Iterable[Definitions]:
    for record in records:
        if record.key is not None or record.value is None:
            continue
        try:
            control = canonical.decode_control(record.value)
        except ValueError as error:
            message = f"record {record.offset} of {partition.topic} {partition.partition} is none of ours ({type(error).__name__})"
            raise DefinitionsError(message) from error
        if isinstance(control, Definitions):
            yield control



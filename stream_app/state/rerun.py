"""The real processor over its log again, offline: in no group, nothing sent, nothing committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiokafka
from aiokafka.structs import TopicPartition

from agents.ports import Record
from models.durability.keyed import KeyedState
from models.events.canonical import Definitions
from stream_app.engine.reading import LogRange
from stream_app.engine.settings import EngineSettings
from stream_app.state.parts import Part, StateError

Advance = Callable[[int], None]
"""Told how many more records were read."""

SLICE_RECORDS = 2_000
SILENT_SECONDS = 30.0
"""A log that must hold more and gives nothing for so long has no broker."""


class Rerun:
    """``state`` is that of the records before ``state.offset``, as a worker that was never interrupted would have it."""

    def __init__(self, part: Part, log: LogReader, state: KeyedState[Any], advance: Advance) -> None:
        self.state = state
        self._part = part
        self._log = log
        self._advance = advance

    async def until(self, offset: int) -> None:
        """Process the records before ``offset``, which the log must hold. What a worker would send is dropped. Raises ``StateError``."""
        while (missing := offset - self.state.offset) > 0:
            records = await self._log.read(min(missing, SLICE_RECORDS))
            self._part.processor.handle(self.state, records)
            self._advance(len(records))
            await asyncio.sleep(0)


class LogReader:
    """One log partition in order, from wherever it was opened."""

    def __init__(self, consumer: aiokafka.AIOKafkaConsumer, tp: TopicPartition) -> None:
        self._consumer = consumer
        self._tp = tp

    async def read(self, most: int) -> Sequence[Record]:
        """The next records, at least one. Raises ``StateError`` when none comes."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                while True:
                    fetched = await self._consumer.getmany(self._tp, timeout_ms=500, max_records=most)
                    if fetched:
                        records: Sequence[Record] = fetched[self._tp]
                        return records
        except TimeoutError as error:
            raise StateError(f"{self._tp.topic} {self._tp.partition} gave nothing for {SILENT_SECONDS:.0f} s: is the broker up?") from error


@asynccontextmanager
async def rerun(
    settings: EngineSettings, part: Part, held: LogRange, definitions: Definitions, advance: Advance, epoch: int = 0
) -> AsyncIterator[Rerun]:
    """A run from the beginning of what the log holds. ``definitions`` hold until the log has its own: its first record, if it is whole."""
    tp = TopicPartition(settings.topic(part.processor.log), part.partition)
    state = part.processor.new_state(part.partition)
    state.epoch = epoch
    if held.begin > 0:
        state.define(definitions, held.begin - 1)
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=settings.fetch_bytes,
        request_timeout_ms=int(settings.request_timeout * 1000),
        **settings.security,
    )
    await consumer.start()
    try:
        consumer.assign([tp])
        consumer.seek(tp, held.begin)
        yield Rerun(part, LogReader(consumer, tp), state, advance)
    finally:
        await consumer.stop()

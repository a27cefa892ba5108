"""Reading whole partitions to their end with a consumer that belongs to no group (recovery, read-back)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeVar

import aiokafka
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from agents.ports import Record
from stream_app.engine.plain_records import deliver_plain_records
from stream_app.engine.settings import EngineSettings

logger = logging.getLogger(__name__)

Absorb = Callable[[Sequence[Record]], None]
Result = TypeVar("Result")

_READ_AGAIN_AFTER: Final = 1.0


@dataclass(slots=True, frozen=True)
class LogRange:
    """Offsets ``begin`` (inclusive) to ``end`` (exclusive) that a partition holds."""

    begin: int
    end: int

    def holds(self, offset: int) -> bool:
        """Whether reading can start at ``offset``; the end itself is a fine place to start."""
        return self.begin <= offset <= self.end


class Reader:
    """A group-less consumer; an async context manager. Never commits, never joins anything."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=settings.fetch_bytes,
            fetch_max_wait_ms=max(1, int(settings.fetch_wait * 1000)),
            request_timeout_ms=int(settings.request_timeout * 1000),
            **settings.security,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        deliver_plain_records(self._consumer)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def ranges(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, LogRange]:
        """What each partition holds now."""
        wanted = list(tps)
        begins = await self._consumer.beginning_offsets(wanted)
        ends = await self._consumer.end_offsets(wanted)
        return {tp: LogRange(begins[tp], ends[tp]) for tp in wanted}

    async def read_to_end(
        self, tps: Iterable[TopicPartition], absorb: Mapping[TopicPartition, Absorb], begins: Mapping[TopicPartition, int] | None = None
    ) -> dict[TopicPartition, int]:
        """Read each partition from its beginning, or where ``begins`` says, to its end as of this call; answer the position after it.

        The end is the greater of ListOffsets' answer and the high watermark of the first fetch: some brokers
        answer the former too small by one batch.
        """
        targets = await self.ranges(tps)
        if not targets:
            return {}
        self._consumer.assign(list(targets))
        for tp, span in targets.items():
            self._consumer.seek(tp, span.begin if begins is None else begins[tp])
        ends: dict[TopicPartition, int] = {}
        done: dict[TopicPartition, int] = {}
        while len(done) < len(targets):
            fetched = await self._consumer.getmany(timeout_ms=50)
            for tp, records in fetched.items():
                absorb[tp](records)
                await asyncio.sleep(0)
            for tp in targets.keys() - done.keys():
                position = await self._reached(tp, targets[tp].end, ends)
                if position is not None:
                    done[tp] = position
                    self._consumer.pause(tp)
        return done

    async def _reached(self, tp: TopicPartition, end: int, ends: dict[TopicPartition, int]) -> int | None:
        """The position of ``tp`` once it is at the end, else None."""
        highwater = self._consumer.highwater(tp)
        if highwater is None:
            return None
        target = ends.setdefault(tp, max(end, highwater))
        position: int = await self._consumer.position(tp)
        return position if position >= target else None

    async def true_end(self, tp: TopicPartition) -> int:
        """The high watermark as a fetch sees it."""
        self._consumer.assign([tp])
        span = (await self.ranges([tp]))[tp]
        self._consumer.seek(tp, max(span.begin, span.end - 1))
        while (highwater := self._consumer.highwater(tp)) is None:
            await self._consumer.getmany(timeout_ms=100)
        return int(highwater)


async def reading(settings: EngineSettings, read: Callable[[Reader], Awaitable[Result]]) -> Result:
    """Run ``read`` with a reader of its own, again from the start while the broker is away."""
    while True:
        try:
            async with Reader(settings) as reader:
                return await read(reader)
        except KafkaError as error:
            logger.warning("reading back was interrupted (%r); starting it again", error, extra={"event": "reading_interrupted"})
            await asyncio.sleep(_READ_AGAIN_AFTER)

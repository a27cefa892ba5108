"""The board's feed from Kafka: a consumer without a group, as any other service would write it.

It owns no offsets on the broker, so any number of boards read the same topics. ``kpis`` is read to
its end before anything is shown; events start near their end, as only the latest ones matter here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from stream_app.board.feed import FeedBatch, FeedRecord
from stream_app.kafka_access.granted import require_access
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import PLAIN, AccessDeniedError, ClientSecurity
from stream_app.topic_partitions import partitions_of

COMPLETE_TOPIC: Final = "kpis"
RECENT_TOPIC: Final = "sla-events"
RECENT_RECORDS: Final = 1_000
FETCH_WAIT_MS: Final = 250
QUIET_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 2.0


class TopicsMissingError(Exception):
    """An output topic does not exist yet: retry, it is made by ``topics create`` or the first worker."""


class KafkaFeed:
    """Reads ``kpis`` and ``sla-events`` for ever. Problems come out as batches, never as exceptions."""

    def __init__(self, bootstrap_servers: str, topic_prefix: str, security: ClientSecurity = PLAIN) -> None:
        self._servers = bootstrap_servers
        self._security = security
        self._prefix = topic_prefix
        self._positions: dict[TopicPartition, int] = {}
        self._caught_up = False

    async def batches(self) -> AsyncGenerator[FeedBatch, None]:
        """Batches in log order per partition; after a lost connection it goes on where it stood."""
        while True:
            consumer = self._consumer()
            try:
                await require_access(self._servers, self._security, self._rights())
                await consumer.start()
                async for batch in self._read(consumer):
                    yield batch
            except OffsetOutOfRangeError:
                self._forget()
                yield FeedBatch(reset=True, caught_up=False, problem="The topics were made anew; reading them again.")
            except TopicsMissingError as error:
                yield self._problem(str(error), connected=True)
            except AccessDeniedError as error:
                yield self._problem(str(error))
            except (KafkaError, OSError, TimeoutError) as error:
                yield self._problem(f"No connection to the broker {self._servers}: {_reason(error)}")
            finally:
                await consumer.stop()
            await asyncio.sleep(RETRY_SECONDS)

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            client_id="deskpulse-board",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=10_000,
            **self._security,
        )

    def _rights(self) -> list[Right]:
        return [Right("topic", f"{self._prefix}.{topic}", "Read") for topic in (COMPLETE_TOPIC, RECENT_TOPIC)]

    async def _read(self, consumer: AIOKafkaConsumer) -> AsyncIterator[FeedBatch]:
        complete = await self._partitions(consumer, COMPLETE_TOPIC)
        recent = await self._partitions(consumer, RECENT_TOPIC)
        await self._refuse_shrunken_topics(consumer, [*complete, *recent])
        await self._seek(consumer, complete, recent)
        yield FeedBatch(caught_up=self._caught_up)
        quiet = 0.0
        while True:
            fetched = await consumer.getmany(timeout_ms=FETCH_WAIT_MS * 2)
            records: list[FeedRecord] = []
            for partition, messages in fetched.items():
                topic = partition.topic.removeprefix(f"{self._prefix}.")
                records.extend(FeedRecord(topic, message.key, message.value) for message in messages)
                self._positions[partition] = messages[-1].offset + 1
            quiet = 0.0 if records else quiet + FETCH_WAIT_MS * 2 / 1000
            if quiet >= QUIET_SECONDS:
                await self._refuse_shrunken_topics(consumer, [*complete, *recent])
                quiet = 0.0
            if not self._caught_up:
                self._caught_up = await self._has_reached_end(consumer, complete)
                if self._caught_up:
                    yield FeedBatch(records)
                    continue
            if records:
                yield FeedBatch(records, caught_up=self._caught_up)

    async def _partitions(self, consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
        name = f"{self._prefix}.{topic}"
        partitions = await partitions_of(consumer, name)
        if not partitions:
            message = f"The topic {name} does not exist yet."
            raise TopicsMissingError(message)
        return partitions

    async def _seek(self, consumer: AIOKafkaConsumer, complete: list[TopicPartition], recent: list[TopicPartition]) -> None:
        partitions = [*complete, *recent]
        begin = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        for partition in partitions:
            start = begin[partition]
            if partition in recent:
                start = max(start, end[partition] - RECENT_RECORDS)
            consumer.seek(partition, max(start, self._positions.get(partition, start)))

    async def _has_reached_end(self, consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> bool:
        end = await consumer.end_offsets(list(partitions))
        for partition, offset in end.items():
            if await consumer.position(partition) < offset:
                return False
        return True

    async def _refuse_shrunken_topics(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        """A topic that ends before what was read from it was made anew. Also proves that the broker answers."""
        end = await consumer.end_offsets(partitions)
        if any(self._positions.get(partition, 0) > offset for partition, offset in end.items()):
            raise OffsetOutOfRangeError

    def _forget(self) -> None:
        self._positions.clear()
        self._caught_up = False

    def _problem(self, text: str, *, connected: bool = False) -> FeedBatch:
        return FeedBatch(caught_up=self._caught_up, connected=connected, problem=text)


def _reason(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:200]

"""Getting events into the partitions of the input topics, in large batches."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

from stream_app.kafka_access.security import PLAIN, ClientSecurity

SIMULATED_HEADERS = (("deskpulse-simulated", b"1"),)
BATCH_BYTES = 512 * 1024
BATCHES_IN_FLIGHT = 24


class Sender(Protocol):
    """What a replay needs of a producer. Records of one partition keep their order."""

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises ``LookupError`` when there is no such topic."""

    async def send(self, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
        """Take one record; it may still be on its way when this returns."""

    async def flush(self) -> None:
        """Return when everything taken so far is acknowledged. Raises what a send failed with."""


class KafkaSender:
    """Batches per partition on an ``AIOKafkaProducer`` that somebody else starts and stops."""

    def __init__(self, producer: AIOKafkaProducer, *, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        self.producer = producer
        self.headers = list(headers)
        self._batches: dict[tuple[str, int], Any] = {}
        self._in_flight: deque[asyncio.Future[object]] = deque()

    async def partitions(self, topic: str) -> int:
        found = await self.producer.partitions_for(topic)
        if not found:
            raise LookupError(f"there is no topic {topic}")
        return len(found)

    async def send(self, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
        now = int(time.time() * 1000)
        batch = self._batches.get((topic, partition))
        if batch is not None:
            if batch.append(timestamp=now, key=key, value=value, headers=self.headers) is not None:
                return
            await self._submit(topic, partition)
        batch = self._batches[topic, partition] = self.producer.create_batch()
        if batch.append(timestamp=now, key=key, value=value, headers=self.headers) is None:
            raise ValueError(f"an event of {len(value)} bytes is larger than a batch")

    async def flush(self) -> None:
        for topic, partition in list(self._batches):
            await self._submit(topic, partition)
        while self._in_flight:
            await self._in_flight.popleft()

    async def _submit(self, topic: str, partition: int) -> None:
        batch = self._batches.pop((topic, partition))
        batch.close()
        while len(self._in_flight) >= BATCHES_IN_FLIGHT:
            await self._in_flight.popleft()
        self._in_flight.append(await self.producer.send_batch(batch, topic, partition=partition))


def new_producer(bootstrap: str, security: ClientSecurity = PLAIN) -> AIOKafkaProducer:
    """A producer for ``KafkaSender``: acknowledged by all replicas, no idempotence (not every broker has it)."""
    return AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES, linger_ms=0, **security)


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """FNV-1a of the key, scrambled: the events of a case stay together, and partitions fill unevenly.

    Input topics may be keyed in any way; this one is cheap and the same everywhere.
    """
    hashed = 0xCBF29CE484222325
    for byte in key:
        hashed = ((hashed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return (hashed ^ (hashed >> 32)) % partitions


async def partition_counts(sender: Sender, topics: Iterable[str]) -> dict[str, int]:
    """Partition count of each topic. Raises ``LookupError``."""
    return {topic: await sender.partitions(topic) for topic in topics}

"""A producer that keeps what it is sent and acknowledges when told to (or at once)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka.structs import TopicPartition

Sent = tuple[str, int, list[tuple[bytes | None, bytes | None]]]


@dataclass
class FakeBatch:
    capacity: int
    records: list[tuple[bytes | None, bytes | None]] = field(default_factory=list)
    closed: bool = False

    def add(self, number: int, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Any) -> Any:
        assert not self.closed
        if number >= self.capacity:
            return None
        assert number == len(self.records)
        self.records.append((key, value))
        return object()

    def close_with(self, count: int) -> None:
        assert count == len(self.records)
        self.closed = True


class FakeProducer:
    """``sent`` holds the batches in order of sending; ``hold`` keeps acknowledgements back until ``release``. ``ends``: where the partitions end."""

    def __init__(self, capacity: int = 1000) -> None:
        self.capacity = capacity
        self.sent: list[Sent] = []
        self.hold = False
        self.failure: Exception | None = None
        self.broker_time_ms: int | None = None
        self.ends: dict[TopicPartition, int] = {}
        self._waiting: list[tuple[asyncio.Future[Any], Any]] = []

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self.capacity)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        self.sent.append((topic, partition, batch.records))
        acknowledged: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        metadata = self._append(TopicPartition(topic, partition), len(batch.records))
        if self.failure is not None:
            acknowledged.set_exception(self.failure)
        elif self.hold:
            self._waiting.append((acknowledged, metadata))
        else:
            acknowledged.set_result(metadata)
        return acknowledged

    def release(self) -> None:
        """Acknowledge everything held back so far."""
        waiting, self._waiting = self._waiting, []
        for acknowledged, metadata in waiting:
            acknowledged.set_result(metadata)

    def _append(self, partition: TopicPartition, count: int) -> Any:
        offset = self.ends.get(partition, 0)
        self.ends[partition] = offset + count
        kind = 0 if self.broker_time_ms is None else 1
        return SimpleNamespace(topic_partition=partition, offset=offset, timestamp=self.broker_time_ms, timestamp_type=kind)

    def sent_to(self, topic: str) -> list[tuple[bytes | None, bytes | None]]:
        return [record for name, _, records in self.sent if name == topic for record in records]

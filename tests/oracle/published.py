"""What a pipeline has published, read with a plain consumer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.topic_partitions import partitions_of
from tests.support.record_schemas import Validation

FETCH_BYTES = 16 * 1024 * 1024


async def records(bootstrap: str, topic: str) -> AsyncIterator[Any]:
    """Every record of a topic from its beginning to its present end."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=FETCH_BYTES, fetch_max_bytes=FETCH_BYTES
    )
    await consumer.start()
    try:
        partitions = await partitions_of(consumer, topic) or [TopicPartition(topic, 0)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    yield record
    finally:
        await consumer.stop()


async def ends(bootstrap: str, topics: Sequence[str]) -> dict[str, int]:
    """End offset of the only partition of each topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        found = await consumer.end_offsets([TopicPartition(topic, 0) for topic in topics])
        return {partition.topic: offset for partition, offset in found.items()}
    finally:
        await consumer.stop()


async def write_rows(bootstrap: str, topics: Mapping[str, str], path: Path, validation: Validation | None = None) -> int:
    """Every record of the topics (logical name -> name) as ``{"topic", "o", "r"}`` lines; returns how many."""
    written = 0
    with path.open("wb") as file:
        for logical, name in topics.items():
            head = f'{{"topic": "{logical}", "o": '.encode()
            async for record in records(bootstrap, name):
                if validation is not None:
                    validation.take(logical, record)
                if record.value is not None:
                    file.write(head + b'%d, "r": ' % record.offset + record.value + b"}\n")
                    written += 1
    return written


async def validate(bootstrap: str, topics: Mapping[str, str], validation: Validation) -> None:
    """Every record of the topics (logical name -> name)."""
    for logical, name in topics.items():
        async for record in records(bootstrap, name):
            validation.take(logical, record)


async def write_newest(bootstrap: str, topic: str, path: Path) -> int:
    """The record with the greatest fence for each key of a compacted topic, as ``{"key", "value"}`` lines."""
    newest: dict[bytes, tuple[tuple[int, int], bytes]] = {}
    async for record in records(bootstrap, topic):
        if record.value is None:
            continue
        epoch, offset = json.loads(record.value)["fence"]
        known = newest.get(record.key)
        if known is None or known[0] <= (epoch, offset):
            newest[record.key] = (epoch, offset), record.value
    with path.open("wb") as file:
        for key, (_, value) in newest.items():
            file.write(b'{"key": ' + key + b', "value": ' + value + b"}\n")
    return len(newest)


class WatermarkReader:
    """Follows the pipeline record ``watermark`` of the topic ``kpis``."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.topic = TopicPartition(topic, 0)
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=FETCH_BYTES, fetch_max_bytes=FETCH_BYTES
        )
        self.watermark: int | None = None
        self.clock = 0
        self.rows = 0

    async def start(self) -> None:
        await self.consumer.start()
        self.consumer.assign([self.topic])
        await self.consumer.seek_to_beginning(self.topic)

    async def stop(self) -> None:
        await self.consumer.stop()

    async def read(self) -> None:
        """Take what has arrived, waiting half a second for something."""
        for batch in (await self.consumer.getmany(timeout_ms=500)).values():
            for record in batch:
                if record.value is None or not record.key.startswith(b'["watermark"'):
                    self.rows += 1
                    continue
                found = json.loads(record.value)
                self.watermark = found["value"]
                self.clock = found.get("clock") or self.clock
        await asyncio.sleep(0)

"""Topics of the comparison: made, filled with the job's events, and read back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.peers.job import PARTITIONS, Row, Window, window_of
from bench.pipeline import consuming

PRODUCED_BATCH_BYTES = 65_536


async def create(bootstrap: str, names: Iterable[str], configuration: dict[str, str] | None = None) -> None:
    """Topics of as many partitions as the input has.

    Nothing is ever deleted from them: some contenders give their results the time of the event, which is long past.
    """
    settings = {"retention.ms": "-1", **(configuration or {})}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=settings) for name in names])
    finally:
        await admin.close()


async def delete(bootstrap: str, names: Iterable[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))
    finally:
        await admin.close()


async def fill(bootstrap: str, topic: str, events: Iterable[tuple[int, bytes, bytes]]) -> None:
    """The events into a new topic, in their order within each partition."""
    await create(bootstrap, [topic])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks=1, max_batch_size=PRODUCED_BATCH_BYTES, linger_ms=20) as producer:
        building: dict[int, Any] = {}
        sent = []
        for partition, key, value in events:
            batch = building.get(partition) or producer.create_batch()
            if batch.append(timestamp=None, key=key, value=value) is None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
            building[partition] = batch
        for partition, batch in building.items():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)


RETRACTED = ("pathway_diff", b"-1")
"""Header of a record that takes an earlier result back; the new one is a record of its own."""


async def published(bootstrap: str, topic: str) -> dict[Window, Row]:
    """The last result of each window in an output topic."""
    rows: dict[Window, Row] = {}
    async with consuming(bootstrap, topic) as consumer:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)])
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                standing = (record for record in records if RETRACTED not in record.headers)
                rows.update((window_of(record.key), orjson.loads(record.value)) for record in standing)
    return rows

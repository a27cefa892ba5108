"""The definitions of an installation live in its logs: the first worker of an empty system puts its own there."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from models.events.canonical import Definitions
from stream_app.settings import Settings
from stream_app.wire import canonical

logger = logging.getLogger(__name__)

LOGS = ("events", "customer-log")
FIRST_VERSION = 1
_READ_MS = 5_000


async def ensure_definitions(settings: Settings, security: Mapping[str, Any]) -> None:
    """Write the definitions into every empty log partition: those that hold already, else this worker's. Say so if they differ.

    Call before anything else is written: then every log begins with its definitions. Two first workers may both
    write; the first record of a partition holds.
    """
    mine = canonical.encode(Definitions(FIRST_VERSION, settings.definitions()))
    bootstrap = settings.kafka.bootstrap_servers
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none", **security)
    await consumer.start()
    try:
        partitions = [TopicPartition(settings.topic(log), number) for log in LOGS for number in range(settings.kafka.log_partitions)]
        ends = await consumer.end_offsets(partitions)
        published = await _published(consumer, [partition for partition in partitions if ends[partition] > 0])
        if empty := [partition for partition in partitions if ends[partition] == 0]:
            await _write(bootstrap, empty, published or mine, security)
        if published not in {None, mine}:
            logger.warning(
                "the definitions in %s differ from this worker's configuration;"
                " those in the log hold (dimensions, targets, windows of KPIs)",
                settings.topic(LOGS[0]),
            )
    finally:
        await consumer.stop()


async def _write(bootstrap: str, partitions: list[TopicPartition], value: bytes, security: Mapping[str, Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **security)
    await producer.start()
    try:
        for partition in partitions:
            await producer.send_and_wait(partition.topic, value, partition=partition.partition)
    finally:
        await producer.stop()
    logger.info("definitions written into %d empty log partitions", len(partitions))


async def _published(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> bytes | None:
    """The definitions that one of the partitions begins with; None where the first records have left the logs by retention.

    What holds then is in each partition's checkpoint.
    """
    begins = await consumer.beginning_offsets(partitions)
    for partition in partitions:
        if begins[partition] > 0:
            continue
        consumer.assign([partition])
        consumer.seek(partition, 0)
        records = (await consumer.getmany(partition, timeout_ms=_READ_MS, max_records=1)).get(partition, [])
        if records and records[0].key is None:
            return bytes(records[0].value)
    return None

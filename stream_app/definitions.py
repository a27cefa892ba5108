"""The definitions of an installation live in its logs: the first worker of an empty system puts its own there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
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
    """Write this worker's definitions into every empty log partition; say so if the log holds others.

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
        empty = [partition for partition in partitions if ends[partition] == 0]
        if empty:
            await _write(bootstrap, empty, mine, security)
        if len(empty) < len(partitions):
            await _compare(consumer, next(partition for partition in partitions if partition not in empty), mine)
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


async def _compare(consumer: AIOKafkaConsumer, partition: TopicPartition, mine: bytes) -> None:
    consumer.assign([partition])
    begin = (await consumer.beginning_offsets([partition]))[partition]
    if begin > 0:
        return  # the first ones have left the log by retention; each partition's checkpoint holds those in force
    consumer.seek(partition, 0)
    records = (await consumer.getmany(partition, timeout_ms=_READ_MS, max_records=1)).get(partition, [])
    if records and records[0].key is None and records[0].value != mine:
        logger.warning(
            "the definitions in %s differ from this worker's configuration; those in the log hold (dimensions, targets, windows of KPIs)",
            partition.topic,
        )

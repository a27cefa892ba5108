"""Our clock compared with the time that the broker writes on records."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream_app.diagnosis.findings import Finding, ok, problem, unknown
from stream_app.kafka_access.security import ClientSecurity
from stream_app.settings import Settings
from stream_app.topic_admin import TopicsError, create_topics
from stream_app.topics import ExistingTopic, TopicSpec

WAIT_SECONDS = 5.0
WATCH_SECONDS = 3.0
"""Longer than any sound `engine.mark_interval`: while a worker runs, a record comes sooner."""
_LOG_APPEND_TIME = 1

Stamped = tuple[float, float, int, float]
"""Our clock before (ms), the time on the record, its kind, our clock after."""


async def clock_difference(
    settings: Settings, security: ClientSecurity, existing: Mapping[str, ExistingTopic], *, make_topic: bool
) -> Finding:
    """By a record of our own, in a topic made for it, where brokers know no users; else by the next one that a worker writes."""
    try:
        own = make_topic and not security.authenticates
        stamped = await (_in_own_topic(settings, security) if own else _next_in_log(settings, security, existing))
    except (KafkaError, TopicsError, TimeoutError) as error:
        return unknown("clock", f"the broker could not be asked for the time ({error})")
    if stamped is None:
        return unknown("clock", f"no record came within {WATCH_SECONDS:.0f} s to read the time from", "try again while a worker runs")
    before, stamp, kind, after = stamped
    if kind != _LOG_APPEND_TIME:
        return unknown("clock", "this broker does not put its own time on records")
    return clock_finding(settings, before, stamp, after)


async def _in_own_topic(settings: Settings, security: ClientSecurity) -> Stamped:
    name = f"{settings.kafka.topic_prefix}.doctor-{secrets.token_hex(4)}"
    server = settings.kafka.bootstrap_servers
    spec = TopicSpec(name, 1, {"message.timestamp.type": "LogAppendTime", "retention.ms": "60000"})
    await create_topics(server, [spec], wait_seconds=WAIT_SECONDS, security=security)
    try:
        return await _written(server, security, name)
    finally:
        await _delete(server, security, name)


async def _written(server: str, security: ClientSecurity, topic: str) -> Stamped:
    producer = AIOKafkaProducer(bootstrap_servers=server, **security)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"warm")
        before = time.time() * 1000
        written = await asyncio.wait_for(producer.send_and_wait(topic, b"clock"), WAIT_SECONDS)
        return before, written.timestamp, written.timestamp_type, time.time() * 1000
    finally:
        await producer.stop()


async def _delete(server: str, security: ClientSecurity, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server, **security)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def _next_in_log(settings: Settings, security: ClientSecurity, existing: Mapping[str, ExistingTopic]) -> Stamped | None:
    """The first record that comes after this call; it was stamped while we waited."""
    topic = settings.topic("events")
    if topic not in existing:
        return None
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.bootstrap_servers, enable_auto_commit=False, **security)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(existing[topic].partitions)]
        consumer.assign(partitions)
        before = time.time() * 1000
        ends = await consumer.end_offsets(partitions)
        for partition, end in ends.items():
            consumer.seek(partition, end)
        fetched = await consumer.getmany(*partitions, timeout_ms=int(WATCH_SECONDS * 1000))
        after = time.time() * 1000
        first = min((record for records in fetched.values() for record in records), key=lambda record: record.timestamp, default=None)
        return None if first is None else (before, first.timestamp, first.timestamp_type, after)
    finally:
        await consumer.stop()


def clock_finding(settings: Settings, before: float, stamp: float, after: float) -> Finding:
    """``stamp`` was made between ``before`` and ``after`` (all ms): what lies outside of that is a difference of clocks."""
    difference = max(before - stamp, stamp - after, 0.0)
    allowed = settings.time.allowance.total_seconds() * 1000
    detail = f"{difference / 1000:.1f} s from the broker's"
    if difference > allowed:
        remedy = "set both clocks by NTP: until then no quiet input is taken to be complete"
        return problem("clock", f"{detail}, more than time.allowance ({allowed / 1000:.0f} s)", remedy)
    return ok("clock", detail)

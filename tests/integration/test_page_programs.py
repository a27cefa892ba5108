"""On a real Kafka: the consumers on the pages do what the pages say, with real records, repeated and out of order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream_app.brokers.kafka import KafkaBroker
from tests.oracle.published import ends
from tests.support.page_programs import RunningProgram, program_on
from tests.support.pipeline import LogRecord
from tests.support.recorded_traffic import traffic
from tests.support.waiting import eventually, eventually_async

SHORT = 28
"""Lines that a consumer on a page may have: about 20 without imports and blank lines."""


async def send(kafka: KafkaBroker, topic: str, records: Iterable[LogRecord]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        for record in records:
            await producer.send(topic, record.value, key=record.key, partition=0)
        await producer.flush()
    finally:
        await producer.stop()


async def create(kafka: KafkaBroker, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1) for topic in topics])
    finally:
        await admin.close()


async def read_whole(program: RunningProgram, kafka: KafkaBroker, topic: str, group: str) -> list[str]:
    """What the program has printed, once its group has committed everything that is in the topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        committed = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    partition = TopicPartition(topic, 0)
    program.lines()  # fails at once if it has ended
    whole = partition in committed and committed[partition].offset == (await ends(kafka.bootstrap, [topic]))[topic]
    return program.lines() if whole else []


def ids(records: Iterable[LogRecord]) -> list[str]:
    return [json.loads(record.value or b"")["id"] for record in records]


async def test_the_reader_of_sla_events_acts_once_on_each_id_across_redelivery_and_a_kill(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    topic = f"{prefix}.sla-events"
    verdicts = traffic().topics.all("sla-events")[:60]
    first, second = verdicts[:40], verdicts[30:]
    await create(kafka, topic)
    await send(kafka, topic, [*first, *first[5:], *reversed(first)])
    arguments = ("how-to/read-sla-events.md", tmp_path, kafka.bootstrap, topic)
    with RunningProgram(*arguments) as program:
        said = await eventually_async(lambda: read_whole(program, kafka, topic, "sla-alerts"), within_seconds=60, what="everything read")
    assert [line.split()[1] for line in said] == ids(first)
    await send(kafka, topic, second)
    with RunningProgram(*arguments) as program:
        said = await eventually_async(lambda: read_whole(program, kafka, topic, "sla-alerts"), within_seconds=60, what="everything read")
    assert [line.split()[1] for line in said] == ids(verdicts[40:])


async def test_the_reader_of_kpis_keeps_the_newest_row_of_each_key(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    """Both topics whole, then rows that a worker that woke up writes again, a row that is gone, and the watermark once more."""
    topics = [f"{prefix}.kpis", f"{prefix}.kpi-windows"]
    live, final = (traffic().topics.all(name) for name in ("kpis", "kpi-windows"))
    live_levels, final_levels = service_levels(live), service_levels(final)
    older = [record for record in final if record.key in final_levels]
    gone = next(iter(live_levels))
    await create(kafka, *topics)
    await send(kafka, topics[1], [*final, *older])
    await send(kafka, topics[0], [*live, LogRecord(0, gone.encode(), None), watermark(live, 1), watermark(live, 2)])
    expected = {key: value for key, value in (live_levels | final_levels).items() if key != gone}
    with RunningProgram("how-to/read-kpis.md", tmp_path, kafka.bootstrap, *topics) as program:
        shown = eventually(lambda: showing(program.lines(), expected), within_seconds=60, what="the expected table")
    assert shown["complete_up_to"] == 2


def service_levels(records: Iterable[LogRecord]) -> dict[str, float | None]:
    """The value last published of every row of the KPI."""
    rows = {(record.key or b"").decode(): json.loads(record.value or b"") for record in records}
    return {key: row["value"] for key, row in rows.items() if row["kpi"] == "service_level"}


def watermark(live: list[LogRecord], value: int) -> LogRecord:
    record = next(record for record in reversed(live) if (record.key or b"").startswith(b'["watermark"'))
    newest = json.loads(record.value or b"")
    return LogRecord(0, record.key, json.dumps({**newest, "value": value}).encode())


def showing(lines: list[str], expected: dict[str, float | None]) -> dict[str, Any]:
    """The last table, once it is the expected one."""
    last: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return last if last.get("service_level") == expected and last["complete_up_to"] == 2 else {}


@pytest.mark.parametrize("page", ["how-to/read-sla-events.md", "how-to/read-kpis.md"])
def test_the_programs_on_the_pages_are_short(page: str) -> None:
    assert len(program_on(page).splitlines()) <= SHORT

"""On a real Kafka: the consumers on the pages do what the pages say, with real records, repeated and out of order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream_app.brokers.kafka import KafkaBroker
from tests.support.page_programs import RunningProgram, program_on
from tests.support.pipeline import LogRecord
from tests.support.recorded_traffic import traffic
from tests.support.waiting import eventually_async

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
    program.lines()  # fails at once if it has ended
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        whole = await consumer.committed(partition) == (await consumer.end_offsets([partition]))[partition]
    finally:
        await consumer.stop()
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
    """Both topics whole, then rows that a worker that woke up writes again, a row that is gone, and the watermark once more.

    The watermark is sent until it is shown after everything else: the two topics are read side by side.
    """
    topics = [f"{prefix}.kpis", f"{prefix}.kpi-windows"]
    live, final = (traffic().topics.all(name) for name in ("kpis", "kpi-windows"))
    live_levels, final_levels = service_levels(live), service_levels(final)
    older = [record for record in reversed(final) if (record.key or b"").decode() in final_levels]
    assert len(older) > len(final_levels), "some rows have more than one revision"
    gone = next(iter(live_levels))
    await create(kafka, *topics)
    await send(kafka, topics[1], [*final, *older])
    await send(kafka, topics[0], [*live, LogRecord(0, gone.encode(), None)])
    expected = {key: value for key, value in (live_levels | final_levels).items() if key != gone}
    newest = next(record for record in reversed(live) if (record.key or b"").startswith(b'["watermark"'))
    with RunningProgram("how-to/read-kpis.md", tmp_path, kafka.bootstrap, *topics) as program:

        async def shown_after_watermark() -> bool:
            await send(kafka, topics[0], [newest])
            last = [json.loads(line) for line in program.lines()[-1:]]
            return last == [{"complete_up_to": json.loads(newest.value or b"")["value"], "service_level": expected}]

        await eventually_async(shown_after_watermark, within_seconds=60, what="the expected table")


def service_levels(records: Iterable[LogRecord]) -> dict[str, float | None]:
    """The value last published of every row of the KPI."""
    rows = {(record.key or b"").decode(): json.loads(record.value or b"") for record in records}
    return {key: row["value"] for key, row in rows.items() if row["kpi"] == "service_level"}


@pytest.mark.parametrize("page", ["how-to/read-sla-events.md", "how-to/read-kpis.md"])
def test_the_programs_on_the_pages_are_short(page: str) -> None:
    assert len(program_on(page).splitlines()) <= SHORT

"""On real Kafka: a row that somebody else writes over one of the running Rollup is put right by it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from stream_app.brokers.kafka import KafkaBroker
from tests.support.installation import Installation, OneWorker
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.slow]


def contact(number: int) -> tuple[bytes, bytes]:
    event = {"type": "contact.opened", "occurred_at": int(time.time() * 1000) - 60_000, "case_id": f"c{number}", "event_id": f"e{number}"}
    return b"k", orjson.dumps({**event, "queue": "billing", "channel": "phone"})


async def offered(installation: Installation) -> dict[str, Any]:
    """The last record of the total of the last hour."""
    return (await installation.kpis("60m")).get(("offered", ""), {})


async def write_over(installation: Installation, topic: str, key: bytes, row: dict[str, Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, orjson.dumps(row), key=key)
    finally:
        await producer.stop()


async def test_a_row_that_somebody_else_has_written_over_is_put_right(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    installation = Installation(kafka.bootstrap, prefix, tmp_path)
    file = installation.file("desk")
    await installation.create_topics(file)
    worker = OneWorker(installation, file, "worker")
    try:
        await installation.send("contacts", [contact(number) for number in range(3)])

        async def right() -> bool:
            worker.check()
            return (await offered(installation)).get("value") == 3

        await eventually_async(right, within_seconds=60, what="three contacts offered")
        row = await offered(installation)
        await write_over(installation, f"{prefix}.kpis", b'["offered","60m",{}]', {**row, "value": 77, "watermark": 0})
        await eventually_async(right, within_seconds=10, what="the row put right")
    finally:
        worker.end()
    assert f"another worker has written to topics of this one: reading 1 of {prefix}.kpis" in worker.log

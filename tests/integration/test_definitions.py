"""On a real Kafka: a worker whose file differs from what is in the log works by the log, and says so."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from stream_app.brokers.kafka import KafkaBroker
from stream_app.settings import load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.oracle import published
from tests.oracle.workers import WorkerPool
from tests.support.waiting import eventually, eventually_async


def configuration(kafka: KafkaBroker, prefix: str, file: Path, queue: str) -> Path:
    inputs = "".join(f'[inputs.{name}]\ntopic = "{prefix}-{name}"\n' for name in ("contacts", "resolutions", "surveys"))
    file.write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap}"\ntopic_prefix = "{prefix}"\ngroup_prefix = "{prefix}"\nlog_partitions = 2\n'
        f'[dimensions]\nqueue = ["{queue}"]\n[engine]\nsession_timeout = "6s"\n[metrics]\nport = 0\n{inputs}'
    )
    return file


async def send(kafka: KafkaBroker, topic: str, event: dict[str, Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, orjson.dumps(event), key=event["case_id"].encode())
    finally:
        await producer.stop()


async def queues_opened(kafka: KafkaBroker, topic: str) -> set[str]:
    """The queues for which a contact was published as offered."""
    found = set()
    async for record in published.records(kafka.bootstrap, topic):
        kpi, window, group = orjson.loads(record.key)
        if kpi == "offered" and window == "60m" and list(group) == ["queue"] and record.value and orjson.loads(record.value)["value"]:
            found.add(group["queue"])
    return found


async def test_the_file_of_the_first_worker_holds_for_those_that_come_later(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    first, later = (configuration(kafka, prefix, tmp_path / f"{queue}.toml", queue) for queue in ("billing", "orders"))
    settings = load_settings(first, {})
    await create_topics(kafka.bootstrap, specs_of(settings))
    log = tmp_path / "worker-0.log"
    pool = WorkerPool(first, tmp_path, 1)
    pool.start()
    eventually(lambda: "recovered" in log.read_text(), within_seconds=60, what="a ready worker")
    assert await asyncio.to_thread(pool.stop) == [0], log.read_text()
    assert "definitions written into 4 empty log partitions" in log.read_text()
    assert "differ" not in log.read_text()

    pool = WorkerPool(later, tmp_path, 1)
    pool.start()
    try:
        opened = {"type": "contact.opened", "occurred_at": int(time.time() * 1000), "case_id": "T-1", "contact_id": "C-1", "queue": "billing"}
        await send(kafka, settings.topic("contacts"), opened | {"channel": "phone", "priority": "normal", "event_id": "e-1"})

        async def queues() -> set[str]:
            pool.check()
            return await queues_opened(kafka, settings.topic("kpis"))

        assert await eventually_async(queues, within_seconds=60, what="a published contact") == {"billing"}
    finally:
        codes = await asyncio.to_thread(pool.stop)
    assert codes == [0], log.read_text()
    assert "differ from this worker's configuration; those in the log hold" in log.read_text()

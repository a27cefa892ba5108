"""``deskpulse worker`` on a real Kafka with an input in the shape of another system."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from stream_app.brokers.kafka import KafkaBroker
from stream_app.settings import load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from stream_app.wire.canonical import decode_event
from tests.support.mappings import page_blocks

REFUSED = [b"\x00\x00\x00\x00\x07framed", b'{"type": "zen:event-type:user.created"}']


def started_worker(configuration: Path) -> subprocess.Popen[bytes]:
    """Its log stands beside the configuration."""
    command = (sys.executable, "-m", "stream_app.cli", "--config", str(configuration), "worker")
    with (configuration.parent / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=configuration.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


async def send(bootstrap: str, topic: str, messages: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for message in messages:
            await producer.send_and_wait(topic, message, partition=0)
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, count: int, wanted: Callable[[Any], bool]) -> list[Any]:
    """So many records that are wanted, within a minute."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    found: list[Any] = []
    try:
        async with asyncio.timeout(60):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [record for record in records if wanted(record)]
    finally:
        await consumer.stop()
    return found


async def test_webhooks_become_events_and_dead_letters_keep_the_original_bytes(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    (tmp_path / "zendesk.toml").write_text(page_blocks("map-zendesk.md", "toml")[0])
    file = tmp_path / "deskpulse.toml"
    inputs = "".join(f'[inputs.{name}]\ntopic = "{prefix}-{name}"\n' for name in ("resolutions", "surveys", "contacts"))
    file.write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap}"\ntopic_prefix = "{prefix}"\ngroup_prefix = "{prefix}"\n'
        f'[metrics]\nport = 0\n{inputs}mapping = "zendesk.toml"\n'
    )
    await create_topics(kafka.bootstrap, specs_of(load_settings(file, {})))
    samples = [line.encode() for line in page_blocks("map-zendesk.md", "jsonl")[0].splitlines()]
    await send(kafka.bootstrap, f"{prefix}-contacts", [*samples, *REFUSED])
    worker = started_worker(file)
    try:
        records = await read(kafka.bootstrap, f"{prefix}.events", 10, lambda record: record.key is not None)
        letters = await read(kafka.bootstrap, f"{prefix}.dead-letters", len(REFUSED), lambda _: True)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 30) == 0, (tmp_path / "log").read_text()
    finally:
        worker.kill()
        worker.wait()
    events = [decode_event(record.value) for record in records]
    assert {event.case_id for event in events} == {"5158", "5159"}
    assert sorted(event.type for event in events if event.case_id == "5159") == ["case.cancelled", "case.flagged"]
    assert [letter.value for letter in letters] == REFUSED
    assert [dict(letter.headers)["reason"] for letter in letters] == [b"schema_registry_bytes", b"unmapped"]

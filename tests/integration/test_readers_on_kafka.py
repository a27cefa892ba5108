"""Those who only read the output topics, on a real Kafka: it tells a client nothing about topics that the client did not ask for."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from aiokafka import AIOKafkaProducer

from stream_app.board.consumer import KafkaFeed
from stream_app.brokers.kafka import KafkaBroker
from stream_app.settings import load_settings
from stream_app.snapshots.reading import read_latest
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of


async def publish(kafka: KafkaBroker, prefix: str) -> None:
    settings = load_settings(environment={"DESKPULSE_KAFKA__TOPIC_PREFIX": prefix})
    await create_topics(kafka.bootstrap, [spec for spec in specs_of(settings) if spec.ours])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await producer.send_and_wait(f"{prefix}.kpis", b"{}", key=b"a")


async def test_a_snapshot_holds_what_is_in_the_topic(kafka: KafkaBroker, prefix: str) -> None:
    await publish(kafka, prefix)
    assert await read_latest(kafka.bootstrap, f"{prefix}.kpis") == {b"a": b"{}"}


async def test_the_board_reads_to_the_end(kafka: KafkaBroker, prefix: str) -> None:
    await publish(kafka, prefix)
    read = 0
    async with asyncio.timeout(30), aclosing(KafkaFeed(kafka.bootstrap, prefix).batches()) as batches:
        async for batch in batches:
            read += len(batch.records)
            assert not batch.problem
            if batch.caught_up:
                break
    assert read == 1

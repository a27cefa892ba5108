"""A feed on a broker: every event once, its header, progress last in every partition."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from stream_app.brokers.embedded import EmbeddedBroker
from stream_app.feeds.pipeline import follow_watermark
from stream_app.feeds.replay import ReplayPlan, replay
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.topic_admin import create_topics
from stream_app.topics import TopicSpec

DEADLINE_SECONDS = 30.0


async def read(bootstrap: str, topics: list[str], count: int) -> dict[tuple[str, int], list[ConsumerRecord]]:
    """So many records, by partition."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=10)
    await consumer.start()
    found: dict[tuple[str, int], list[ConsumerRecord]] = defaultdict(list)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while sum(map(len, found.values())) < count:
                for partition, records in (await consumer.getmany(timeout_ms=100)).items():
                    found[partition.topic, partition.partition] += records
    finally:
        await consumer.stop()
    return found


async def test_every_event_arrives_once_with_its_header_and_the_final_instant_comes_last(embedded: EmbeddedBroker, prefix: str) -> None:
    topics = {name: f"{prefix}-{name}" for name in ("contacts", "resolutions", "surveys")}
    await create_topics(embedded.bootstrap, [TopicSpec(name, 3) for name in topics.values()])
    feed = SimulatedFeed(5, 3000)
    sent = await replay(feed, embedded.bootstrap, ReplayPlan(topics=topics, order="shuffled"))
    partitions = await read(embedded.bootstrap, list(topics.values()), sent.events.total() + 9)
    records = [record for partition in partitions.values() for record in partition]
    assert all(record.headers == (("deskpulse-simulated", b"1"),) for record in records)
    ids = [orjson.loads(record.value)["event_id"] for record in records if record.key is not None]
    assert sorted(ids) == sorted(str(event.event["event_id"]) for event in feed.events() if "event_id" in event.event)
    assert len(partitions) == 9
    for partition in partitions.values():
        assert orjson.loads(partition[-1].value)["up_to"] == feed.outline().final_instant


async def test_replay_into_a_topic_that_is_not_there_is_refused(embedded: EmbeddedBroker, prefix: str) -> None:
    topics = {"contacts": f"{prefix}-contacts"}
    await create_topics(embedded.bootstrap, [TopicSpec(f"{prefix}-contacts", 1)])
    with pytest.raises(LookupError, match="resolutions"):
        await replay(SimulatedFeed(5, 300), embedded.bootstrap, ReplayPlan(topics=topics))


async def test_watermark_is_awaited_until_it_reaches_the_final_instant(embedded: EmbeddedBroker, prefix: str) -> None:
    topic = f"{prefix}.kpis"
    await create_topics(embedded.bootstrap, [TopicSpec(topic, 1)])
    seen: list[int] = []
    reached = asyncio.create_task(follow_watermark(embedded.bootstrap, topic, 1000, seen.append))
    producer = AIOKafkaProducer(bootstrap_servers=embedded.bootstrap)
    await producer.start()
    try:
        for value in (b'{"value": null}', b'{"value": 999}', b'{"value": 1001}'):
            await producer.send_and_wait(topic, value, key=b'["watermark","now",{}]')
    finally:
        await producer.stop()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await reached == 1001
    assert seen == [999, 1001]

"""A pipeline to measure: its topics and configuration on a broker, its input, and what it publishes."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.feeds.event_file import EventFileFeed, write_events
from stream_app.feeds.feed import INPUT_TOPICS, FeedOutline
from stream_app.feeds.replay import ReplayPlan, replay
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.feeds.simulator.simulation import DEFAULT_DAYS
from stream_app.settings import Settings, load_settings
from stream_app.topic_admin import create_topics
from stream_app.topic_partitions import partitions_of
from stream_app.topics import specs_of

FETCH_BYTES = 16 * 1024 * 1024
SEED = 7


def configuration(bootstrap: str, inputs: str, *, declared: bool, log_partitions: int = 4, further: str = "") -> str:
    """A worker's TOML: a topic prefix nobody else has, ``further`` sections, everything else at its default."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    lines = [
        f'[kafka]\nbootstrap_servers = "{bootstrap}"\ntopic_prefix = "{prefix}"\ngroup_prefix = "{prefix}"',
        f"log_partitions = {log_partitions}\n[metrics]\nport = 0",
        further,
    ]
    for name in INPUT_TOPICS:
        progress = '\nprogress = "declared"' if declared else ""
        lines.append(f'[inputs.{name}]\ntopic = "{inputs}-{name}"{progress}')
    return "\n".join(lines) + "\n"


async def new_pipeline(
    bootstrap: str, directory: Path, inputs: str, *, declared: bool, log_partitions: int = 4, further: str = ""
) -> tuple[Path, Settings]:
    """Make its topics (the inputs too, if they are not there) and its configuration file."""
    file = directory / f"{uuid.uuid4().hex[:8]}.toml"
    text = configuration(bootstrap, inputs, declared=declared, log_partitions=log_partitions, further=further)
    file.write_text(text, encoding="utf-8")
    settings = load_settings(file, {})
    await create_topics(bootstrap, specs_of(settings))
    return file, settings


def _events_in(file: Path, events: int, days: float) -> EventFileFeed:
    """The simulated events in a file, made if it is not there."""
    if not file.exists():
        write_events(file, SimulatedFeed(SEED, events, days=days).events(), simulated=True)
    return EventFileFeed(file)


async def fill(bootstrap: str, file: Path, topics: Mapping[str, str], events: int, days: float = DEFAULT_DAYS) -> tuple[int, int]:
    """Send the simulated file, progress declared on the way as a replay does.

    Answers how many events were sent (the file's own declarations of progress are not counted) and the instant
    up to which they are complete.
    """
    feed = _events_in(file, events, days)
    known = feed.outline()
    outline = FeedOutline(known.events, known.first_instant, known.last_instant, known.last_instant, known.disorder_ms)
    sent = await replay(feed, bootstrap, ReplayPlan(topics=topics), outline=outline)
    return sent.events.total(), outline.final_instant


@asynccontextmanager
async def consuming(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of one topic from its beginning."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=4 * FETCH_BYTES,
        fetch_max_wait_ms=20,
    )
    await consumer.start()
    try:
        partitions = await partitions_of(consumer, topic) or [TopicPartition(topic, 0)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        yield consumer
    finally:
        await consumer.stop()


async def all_records(bootstrap: str, topic: str) -> list[Any]:
    """A topic from its beginning to its present end; of several partitions in no order between them."""
    async with consuming(bootstrap, topic) as consumer:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for found in (await consumer.getmany(timeout_ms=500)).values():
                records += found
    return records


async def first_mark(bootstrap: str, topic: str) -> float:
    """Broker time (s) of the first progress mark in the log: Intake is assigned and begins to read now."""
    async with consuming(bootstrap, topic) as consumer:
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key is None and json.loads(record.value).get("control") == "mark":
                        return float(record.timestamp) / 1000


async def watermark_reached(bootstrap: str, topic: str, wanted: int, check: Callable[[], None], deadline: float = 1800.0) -> float:
    """Producer's time (s) of the first ``watermark`` record at or past ``wanted``. Raises ``TimeoutError``."""
    limit = time.monotonic() + deadline
    newest: Any = None
    async with consuming(bootstrap, topic) as consumer:
        while time.monotonic() < limit:
            check()
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if not record.key.startswith(b'["watermark"'):
                        continue
                    newest = json.loads(record.value)["value"]
                    if newest is not None and newest >= wanted:
                        return float(record.timestamp) / 1000
    raise TimeoutError(f"the watermark is {newest}, wanted {wanted}")

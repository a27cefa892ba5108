"""A pipeline of a replay's own: topics under a prefix nobody else has, workers, and when they are done."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from stream_app.feeds.feed import INPUT_TOPICS, Feed, FeedOutline
from stream_app.kafka_access.security import PLAIN, ClientSecurity

DAY_MS = 86_400_000
SHORTEST_HORIZON_DAYS = 35
WATERMARK_KEY = ["watermark", "now", {}]
FETCH_MILLISECONDS = 300


def worker_environment(feed: Feed, outline: FeedOutline, bootstrap: str, prefix: str) -> dict[str, str]:
    """The settings of a pipeline for one feed, as environment variables over whatever else is configured.

    Progress is declared, so that no clock but the feed's enters; nothing in the feed is older than the horizon;
    there are no sliding windows of minutes, no rows of hours, and one row over the whole span.
    """
    chosen = {
        "KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA__TOPIC_PREFIX": prefix,
        "KAFKA__GROUP_PREFIX": prefix,
        "TIME__HORIZON": f"{horizon(outline).days}d",
        "TIME__SIMULATED": str(feed.simulated).lower(),
        "KPIS__ZONE": feed.zone,
        "KPIS__LIVE_WINDOWS": "false",
        "KPIS__SPAN": "true",
        "KPIS__FINAL_WINDOWS": "day",
        "METRICS__HOST": "127.0.0.1",
        "METRICS__PORT": "0",
    }
    for topic in INPUT_TOPICS:
        chosen[f"INPUTS__{topic.upper()}__TOPIC"] = input_topics(prefix)[topic]
        chosen[f"INPUTS__{topic.upper()}__PROGRESS"] = "declared"
    return {f"DESKPULSE_{name}": value for name, value in chosen.items()}


def input_topics(prefix: str) -> dict[str, str]:
    """Names on the broker of the three inputs of such a pipeline; `<prefix>.…` is kept for what the workers write."""
    return {topic: f"{prefix}-{topic}" for topic in INPUT_TOPICS}


def horizon(outline: FeedOutline) -> timedelta:
    """Whole days that hold the feed from its oldest instant to its final one, and a day to spare."""
    oldest = outline.first_instant - outline.disorder_ms
    days = math.ceil((outline.final_instant - oldest) / DAY_MS) + 1
    return timedelta(days=max(days, SHORTEST_HORIZON_DAYS))


async def follow_watermark(
    bootstrap: str,
    kpis_topic: str,
    final_instant: int,
    on_watermark: Callable[[int], None] = lambda _: None,
    security: ClientSecurity = PLAIN,
) -> int:
    """Return the published watermark once it is at the final instant or past it; never before.

    The record is the last of its publish cycle, so everything it speaks of is published too.
    """
    async with _reader(bootstrap, security, kpis_topic) as consumer:
        while True:
            for records in (await consumer.getmany(timeout_ms=FETCH_MILLISECONDS)).values():
                for record in records:
                    watermark = published_watermark(record.key, record.value)
                    if watermark is None:
                        continue
                    on_watermark(watermark)
                    if watermark >= final_instant:
                        return watermark


def published_watermark(key: bytes | None, value: bytes | None) -> int | None:
    """The watermark in ms if this is its record and it has one."""
    if key is None or value is None or orjson.loads(key) != WATERMARK_KEY:
        return None
    watermark = orjson.loads(value)["value"]
    return None if watermark is None else int(watermark)


def span_rows(contents: Mapping[bytes, bytes]) -> list[dict[str, object]]:
    """The rows over the whole span, in total (surveys by route), by KPI, from the newest records of ``kpi-windows``."""
    rows = [orjson.loads(value) for value in contents.values()]
    wanted = [row for row in rows if row.get("window") == "span" and not row["group"].keys() - {"route"}]
    return sorted(wanted, key=lambda row: (row["kpi"], str(row["group"])))


async def delete_topics(bootstrap: str, names: Sequence[str], security: ClientSecurity = PLAIN) -> None:
    """Delete those of the topics that exist."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    await admin.start()
    try:
        await admin.delete_topics(sorted(set(names) & set(await admin.list_topics())))
    finally:
        await admin.close()


@asynccontextmanager
async def _reader(bootstrap: str, security: ClientSecurity, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50, **security)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        yield consumer
    finally:
        await consumer.stop()


async def first_of(work: asyncio.Task[None], watching: asyncio.Task[None]) -> None:
    """Until the work is done or either of the two fails; what failed is raised and nothing is left running."""
    try:
        await asyncio.wait({work, watching}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, watching):
            if task.done():
                task.result()
    finally:
        for task in (work, watching):
            task.cancel()
        await asyncio.gather(work, watching, return_exceptions=True)

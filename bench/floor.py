"""The floor: aiokafka ``getmany``, ``orjson.loads`` and a count per type in a dict, over the same input topics.

``python -m bench.floor BOOTSTRAP EVENTS TOPIC...`` prints ``{"events", "seconds", "cpu_seconds", "peak_mib"}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.process import cpu_seconds, peak_mib

PARTITION_FETCH_BYTES = 1_048_576
QUIET_MILLISECONDS = 1_000


async def floor(bootstrap: str, wanted: int, topics: list[str]) -> dict[str, float]:
    """Read the topics from their beginnings until ``wanted`` events (declarations of progress not counted) were seen."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        check_crcs=True,
    )
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()  # noqa: SLF001 - the public calls answer from what is known
        partitions = [TopicPartition(topic, number) for topic in topics for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        began, cpu = time.perf_counter(), cpu_seconds(os.getpid())
        counts: dict[str, int] = {}
        seen = 0
        while seen < wanted:
            for records in (await consumer.getmany(timeout_ms=QUIET_MILLISECONDS)).values():
                for record in records:
                    kind = orjson.loads(record.value)["type"]
                    counts[kind] = counts.get(kind, 0) + 1
            seen = sum(counts.values()) - counts.get("source.progress", 0)
        seconds = time.perf_counter() - began
        return {"events": seen, "seconds": seconds, "cpu_seconds": cpu_seconds(os.getpid()) - cpu, "peak_mib": peak_mib(os.getpid())}
    finally:
        await consumer.stop()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(floor(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))))

"""The floor: aiokafka ``getmany``, ``orjson.loads`` and the fold inline, into a dict.

Nothing survives a crash, nothing is published before the end.
"""

from __future__ import annotations

import asyncio
from math import log

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.peers.job import PARTITIONS, PER_LOG_GAMMA, WINDOW_MS, WITHIN_MS, Accumulator, Window, row, window_key
from bench.peers.task import Stopwatch, Task

PARTITION_FETCH_BYTES = 1_048_576


async def run(task: Task) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=task.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
    )
    await consumer.start()
    consumer.assign([TopicPartition(task.input, number) for number in range(PARTITIONS)])
    windows: dict[Window, Accumulator] = {}
    watch = Stopwatch(task)
    over = False
    while not over:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            watch.start()
            for record in records:
                event = orjson.loads(record.value)
                window = (event["queue"], event["channel"], event["occurred_at"] // WINDOW_MS)
                duration = event["duration_ms"]
                found = windows.get(window)
                if found is None:
                    found = windows[window] = [0, 0, 0, 0, {}]
                found[0] += 1
                found[1] += duration
                if duration > found[2]:  # noqa: PLR1730 - a call of max() costs more
                    found[2] = duration
                if duration <= WITHIN_MS:
                    found[3] += 1
                bucket = int(log(duration) * PER_LOG_GAMMA)
                buckets = found[4]
                buckets[bucket] = buckets.get(bucket, 0) + 1
            over = watch.count(len(records))
    watch.stop()
    await consumer.stop()
    await publish(task, windows)


async def publish(task: Task, windows: dict[Window, Accumulator]) -> None:
    """All results at once, for the comparison."""
    async with AIOKafkaProducer(bootstrap_servers=task.bootstrap, linger_ms=5) as producer:
        for window, found in windows.items():
            await producer.send(task.output, orjson.dumps(row(found)), window_key(*window))
        await producer.flush()


if __name__ == "__main__":
    asyncio.run(run(Task.given()))

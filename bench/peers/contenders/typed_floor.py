"""The floor with Deskpulse's means: aiokafka ``getmany``, a msgspec struct of the four fields, the garbage collector tuned as the engine's.

What the engine adds shows beside this one.
"""

from __future__ import annotations

import asyncio
from math import log

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.peers.contenders.floor import PARTITION_FETCH_BYTES, publish
from bench.peers.job import PARTITIONS, PER_LOG_GAMMA, WINDOW_MS, WITHIN_MS, Accumulator, Window
from bench.peers.task import Stopwatch, Task
from stream_app.engine import garbage


class Event(msgspec.Struct, gc=False):
    queue: str
    channel: str
    occurred_at: int
    duration_ms: int


async def run(task: Task) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=task.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
    )
    await consumer.start()
    consumer.assign([TopicPartition(task.input, number) for number in range(PARTITIONS)])
    decode = msgspec.json.Decoder(Event).decode
    windows: dict[Window, Accumulator] = {}
    watch = Stopwatch(task)
    over = False
    while not over:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            watch.start()
            for record in records:
                event = decode(record.value)
                window = (event.queue, event.channel, event.occurred_at // WINDOW_MS)
                duration = event.duration_ms
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


if __name__ == "__main__":
    garbage.switch_off()
    asyncio.run(run(Task.given()))

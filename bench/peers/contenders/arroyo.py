"""Sentry Arroyo: one strategy that folds into a dict, offsets committed once a second. It keeps no state: what a crash takes is gone.

Tuned: librdkafka's queue is as long as its default again (Arroyo shortens it) and waits 5 ms, not a second, once it was full.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.processing.processor import StreamProcessor
from arroyo.processing.strategies import ProcessingStrategy, ProcessingStrategyFactory
from arroyo.types import Commit, Message, Topic
from confluent_kafka import Producer

from bench.peers.job import WINDOW_MS, Accumulator, Window, empty, fold, row, window_key
from bench.peers.task import Stopwatch, Task


class Folding(ProcessingStrategy[KafkaPayload]):
    """Folds each message and says what may be committed; Arroyo does so once a second."""

    def __init__(self, handle: Callable[[bytes], None], commit: Commit) -> None:
        self._handle, self._commit = handle, commit

    def submit(self, message: Message[KafkaPayload]) -> None:
        self._handle(message.payload.value)
        self._commit(message.committable)

    def poll(self) -> None: ...

    def close(self) -> None: ...

    def terminate(self) -> None: ...

    def join(self, timeout: float | None = None) -> None:
        self._commit({}, force=True)


class Factory(ProcessingStrategyFactory[KafkaPayload]):
    def __init__(self, handle: Callable[[bytes], None]) -> None:
        self._handle = handle

    def create_with_partitions(self, commit: Commit, partitions: Any) -> ProcessingStrategy[KafkaPayload]:
        return Folding(self._handle, commit)


def run(task: Task) -> None:
    watch = Stopwatch(task)
    windows: dict[Window, Accumulator] = {}

    def handle(value: bytes) -> None:
        watch.start()
        event = orjson.loads(value)
        window = (event["queue"], event["channel"], event["occurred_at"] // WINDOW_MS)
        found = windows.get(window)
        if found is None:
            found = windows[window] = empty()
        fold(found, event["duration_ms"])
        if watch.count():
            watch.stop()
            processor.signal_shutdown()

    consumer = KafkaConsumer(
        build_kafka_consumer_configuration(
            {},
            task.name,
            auto_offset_reset="earliest",
            queued_max_messages_kbytes=65_536,
            queued_min_messages=100_000,
            bootstrap_servers=[task.bootstrap],
            override_params={"fetch.queue.backoff.ms": 5},
        )
    )
    processor = StreamProcessor(consumer, Topic(task.input), Factory(handle))
    processor.run()
    publish(task, windows)


def publish(task: Task, windows: dict[Window, Accumulator]) -> None:
    """All results at once, for the comparison."""
    producer = Producer({"bootstrap.servers": task.bootstrap})
    for window, found in windows.items():
        producer.produce(task.output, orjson.dumps(row(found)), window_key(*window))
    producer.flush()


if __name__ == "__main__":
    run(Task.given())

"""Quix Streams: a tumbling window over the input's key with its grace, state in RocksDB with a changelog.

Tuned: the input is keyed by group, so no repartition topic; decoding by orjson; librdkafka waits 5 ms, not 100, once its queue was full;
a checkpoint each second, as Deskpulse. A window is emitted when it closes.
"""

from __future__ import annotations

from typing import Any

import orjson
from quixstreams import Application
from quixstreams.models import JSONDeserializer, JSONSerializer

from bench.peers.job import LATEST_MS, WINDOW_MS, Accumulator, empty, fold_named, row
from bench.peers.task import Stopwatch, Task


def start(event: dict[str, Any]) -> Accumulator:
    return fold_named(empty(), event["duration_ms"])


def add(accumulator: Accumulator, event: dict[str, Any]) -> Accumulator:
    return fold_named(accumulator, event["duration_ms"])


def result(window: dict[str, Any], key: Any, _timestamp: int, _headers: Any) -> dict[str, Any]:
    name = key.decode() if isinstance(key, bytes) else key
    return {"key": f"{name}@{window['start'] // WINDOW_MS}", "row": row(window["value"])}


def run(task: Task) -> None:
    watch = Stopwatch(task)

    def handled(_topic: str, _partition: int, _offset: int) -> None:
        if watch.count():
            watch.stop()
            application.stop()

    application = Application(
        broker_address=task.bootstrap,
        consumer_group=task.name,
        auto_offset_reset="earliest",
        commit_interval=task.checkpoint_seconds,
        state_dir=f"{task.directory}/state",
        consumer_extra_config={"fetch.queue.backoff.ms": 5},
        on_message_processed=handled,
        loglevel="WARNING",
    )
    source = application.topic(
        task.input,
        value_deserializer=JSONDeserializer(loads=orjson.loads),
        timestamp_extractor=lambda value, *_: value["occurred_at"],
    )
    encoded = JSONSerializer(dumps=lambda value: orjson.dumps(value["row"]))
    sink = application.topic(task.output, key_serializer="str", value_serializer=encoded)
    windows = application.dataframe(source).tumbling_window(WINDOW_MS, grace_ms=LATEST_MS).reduce(add, start).final()
    windows.apply(result, metadata=True).to_topic(sink, key=lambda value: value["key"])
    application.run()


if __name__ == "__main__":
    run(Task.given())

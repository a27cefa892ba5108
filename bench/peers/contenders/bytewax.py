"""Bytewax: ``fold_window`` on an event clock, keyed by group, with a recovery store.

Tuned: ``ordered=False``, whole batches decoded in one call, librdkafka waits 5 ms, not a second, once its queue was full; an epoch
(snapshot) each second, as Deskpulse's checkpoint. Its event clock adds the time that passes here to the newest event's, so 10 s are
added to the allowance: with 30 s events of 30 s would come too late. A window is emitted when it closes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import windowing
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers.job import FIRST_INSTANT, LATEST_MS, WINDOW_MS, Accumulator, empty, fold, row
from bench.peers.task import Stopwatch, Task

BATCH = 10_000
ALLOWANCE = timedelta(milliseconds=LATEST_MS + 10_000)
Keyed = tuple[str, tuple[float, int]]


def decode(messages: list[Any]) -> Iterable[Keyed]:
    for message in messages:
        event = orjson.loads(message.value)
        yield f"{event['queue']}/{event['channel']}", (event["occurred_at"] / 1000, event["duration_ms"])


def instant(value: tuple[float, int]) -> datetime:
    return datetime.fromtimestamp(value[0], UTC)


def merge(left: Accumulator, right: Accumulator) -> Accumulator:
    """Only session windows merge."""
    raise NotImplementedError


def result(keyed: tuple[str, tuple[int, Accumulator]]) -> KafkaSinkMessage[bytes, bytes]:
    group, (number, accumulator) = keyed
    return KafkaSinkMessage(f"{group}@{FIRST_INSTANT // WINDOW_MS + number}".encode(), orjson.dumps(row(accumulator)))


def dataflow(task: Task) -> Dataflow:
    watch = Stopwatch(task)

    def counted() -> None:
        if watch.count():
            watch.stop()

    def add(accumulator: Accumulator, value: tuple[float, int]) -> Accumulator:
        fold(accumulator, value[1])
        counted()
        return accumulator

    def late(_: Any) -> None:
        counted()

    flow = Dataflow("windows")
    settings = {"fetch.queue.backoff.ms": "5"}
    messages = op.input("input", flow, KafkaSource([task.bootstrap], [task.input], add_config=settings, batch_size=BATCH))
    windows = windowing.fold_window(
        "windows",
        op.flat_map_batch("decode", messages, decode),
        windowing.EventClock(instant, ALLOWANCE),
        windowing.TumblingWindower(timedelta(milliseconds=WINDOW_MS), datetime.fromtimestamp(FIRST_INSTANT / 1000, UTC)),
        empty,
        add,
        merge,
        ordered=False,
    )
    op.inspect("late", windows.late, lambda _step, item: late(item))
    op.output("output", op.map("result", windows.down, result), KafkaSink([task.bootstrap], task.output))
    return flow


def run(task: Task) -> None:
    store = Path(task.directory) / "recovery"
    if not store.exists():
        store.mkdir()
        init_db_dir(store, 1)
    cli_main(dataflow(task), epoch_interval=timedelta(seconds=task.checkpoint_seconds), recovery_config=RecoveryConfig(str(store)))


if __name__ == "__main__":
    run(Task.given())

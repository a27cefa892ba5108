"""Pathway: JSON parsed by its engine, ``groupby`` over group and minute, one stateful reducer that gets whole batches.

Tuned: the reducer is called once per window and batch, so Python does nothing per event but the fold. Snapshots of operators need
a licence, and without one a restart reads its input again from the beginning: it runs without persistence here.
"""

from __future__ import annotations

import json
from typing import Any

import pathway as pw

from bench.peers.job import WINDOW_MS, empty, fold, row
from bench.peers.task import Stopwatch, Task


class Event(pw.Schema):
    queue: str
    channel: str
    occurred_at: int
    duration_ms: int


@pw.reducers.stateful_many
def accumulate(state: pw.PyObjectWrapper | None, rows: list[tuple[list[Any], int]]) -> pw.PyObjectWrapper:
    """Input is only ever added. The accumulator is a new one: the old one's row is still to be taken back by its value."""
    accumulator = empty() if state is None else [*state.value[:4], dict(state.value[4])]
    for values, times in rows:
        for _ in range(times):
            fold(accumulator, values[0])
    return pw.wrap_py_object(accumulator)


@pw.udf(deterministic=True)
def key_of(queue: str, channel: str, minute: int) -> str:
    return f"{queue}/{channel}@{minute}"


@pw.udf(deterministic=True)
def row_of(accumulated: pw.PyObjectWrapper) -> str:
    return json.dumps(row(accumulated.value))


def run(task: Task) -> None:
    watch = Stopwatch(task)
    change = 0

    def changed(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:  # noqa: ARG001 - given by name
        nonlocal change
        change += row["count"] if is_addition else -row["count"]

    def batch_over(time: int) -> None:  # noqa: ARG001 - given by name
        nonlocal change
        if change and watch.count(change):
            watch.stop()
        change = 0

    settings = {"bootstrap.servers": task.bootstrap, "group.id": task.name, "auto.offset.reset": "earliest"}
    events = pw.io.kafka.read(settings, task.input, schema=Event, format="json", autocommit_duration_ms=100)
    minutes = events.select(events.queue, events.channel, events.duration_ms, minute=events.occurred_at // WINDOW_MS)
    windows = minutes.groupby(minutes.queue, minutes.channel, minutes.minute).reduce(
        minutes.queue, minutes.channel, minutes.minute, count=pw.reducers.count(), accumulated=accumulate(minutes.duration_ms)
    )
    results = windows.select(windows.count, key=key_of(windows.queue, windows.channel, windows.minute), value=row_of(windows.accumulated))
    pw.io.kafka.write(results, settings, task.output, format="plaintext", key=results.key, value=results.value)
    pw.io.subscribe(windows.select(windows.count), on_change=changed, on_time_end=batch_over)
    watch.start()
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    run(Task.given())

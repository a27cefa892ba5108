"""Stock faust-streaming as its documentation shows it: an agent over a JSON topic, a table with a changelog, defaults."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import faust

from bench.peers.job import PARTITIONS, WINDOW_MS, empty, fold_named, row
from bench.peers.task import Stopwatch, Task


def create(task: Task) -> faust.App:
    app = faust.App(
        task.name,
        broker=f"kafka://{task.bootstrap}",
        value_serializer="json",
        topic_partitions=PARTITIONS,
        datadir=str(Path(task.directory) / "faust"),
        web_enabled=False,
    )
    source = app.topic(task.input)
    results = app.topic(task.output, key_serializer="raw")
    table = app.Table("windows", default=empty)
    watch = Stopwatch(task)

    @app.agent(source)
    async def handle(events: faust.StreamT[dict[str, Any]]) -> None:
        async for event in events:
            watch.start()
            window = f"{event['queue']}/{event['channel']}@{event['occurred_at'] // WINDOW_MS}"
            table[window] = fold_named(table[window], event["duration_ms"])
            if watch.count():
                watch.stop()
                await publish()

    async def publish() -> None:
        """All results at once, for the comparison."""
        for window, found in [(window, row(found)) for window, found in table.items()]:
            await results.send(key=window.encode(), value=found)

    if task.restarted:

        @app.timer(interval=2.0)
        async def publish_again() -> None:
            await publish()

    return app


def run(task: Task) -> None:
    worker = faust.Worker(create(task), loglevel="WARNING", loop=asyncio.new_event_loop())
    worker.execute_from_commandline()


if __name__ == "__main__":
    run(Task.given())

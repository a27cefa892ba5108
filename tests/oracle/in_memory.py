"""The same comparison without a broker: the real processors over in-memory topics. Quick to find a wrong number with."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from stream_app.feeds.event_file import write_events
from stream_app.feeds.feed import FeedEvent
from stream_app.settings.loading import parse_settings
from tests.oracle.harness import INPUT, PANES, PUBLISHED, Plan, Result, configuration, feed_of, judge
from tests.support.pipeline import Pipeline

PARTITIONS = 4
BATCH = 20_000
CYCLES = 100
"""Publish cycles after the end: Rollup does a part of its work in each, and one without a change is not yet the last."""


def run_in_memory(plan: Plan) -> Result:
    """Feed, drain, compare. Workers and kills of the plan do not apply."""
    directory = plan.keep or Path(tempfile.mkdtemp(prefix="deskpulse-oracle-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        return _run(plan, directory)
    finally:
        if plan.keep is None:
            shutil.rmtree(directory, ignore_errors=True)


def _run(plan: Plan, directory: Path) -> Result:
    feed, outline = feed_of(plan)
    settings = parse_settings(configuration(plan, "127.0.0.1:9092", "memory", outline))
    write_events(directory / INPUT, feed.events(), simulated=feed.simulated)
    began = time.monotonic()
    pipeline = Pipeline(PARTITIONS, settings.definitions(), settings.kpis.zone)
    _feed(pipeline, plan, feed.events(), outline.disorder_ms)
    pipeline.declare(outline.final_instant)
    for _ in range(CYCLES):
        pipeline.drain()
    seconds = {"pipeline": time.monotonic() - began}
    _write(pipeline, directory, plan.capture)
    began = time.monotonic()
    comparison, shown = judge(directory, settings.definitions(), outline.final_instant, outline.final_instant, plan.capture)
    return Result(plan, comparison, 0, [], seconds | {"oracle": time.monotonic() - began}, shown)


def _feed(pipeline: Pipeline, plan: Plan, events: Iterable[FeedEvent], disorder_ms: int) -> None:
    chosen = [event for event in events if event.event["type"] != "source.progress"]
    if plan.order == "shuffled":
        random.Random(plan.seed).shuffle(chosen)
    elif plan.order == "resolutions_first":
        chosen.sort(key=lambda event: event.topic != "resolutions")
    for begin in range(0, len(chosen), BATCH):
        batch = chosen[begin : begin + BATCH]
        for event in batch:
            pipeline.feed(event.topic, event.event)
        if plan.order == "time":
            pipeline.declare(batch[-1].occurred_at - disorder_ms - 1)
        pipeline.drain()


def _write(pipeline: Pipeline, directory: Path, capture: Path | None) -> None:
    with (directory / PUBLISHED).open("wb") as file:
        for topic in ("kpis", "kpi-windows"):
            for record in pipeline.topics.all(topic):
                if record.value is not None:
                    file.write(f'{{"topic": "{topic}", "o": {record.offset}, "r": '.encode() + record.value + b"}\n")
    if capture is not None:
        capture.mkdir(parents=True, exist_ok=True)
        newest = pipeline.newest("panes")
        with (capture / PANES).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"key": json.loads(key), "value": value}) + "\n" for key, value in newest.items())

"""``python -m bench``: speed of the whole job beside the floor, latency and recovery, in one run on one real Kafka."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import logging
import sys
import tempfile
from pathlib import Path

from bench.latency import latency_run
from bench.machine import machine
from bench.pipeline import fill, new_pipeline
from bench.report import table, update_pages
from bench.whole_job import Run, floor_run, job_run, recovery_run
from stream_app.brokers.kafka import KafkaBroker
from stream_app.feeds.feed import INPUT_TOPICS

INPUTS = "bench-input"


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="size of the simulated file (default 500,000)")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs of floor and whole job (default 3)")
    parser.add_argument("--rate", type=float, default=2_000, help="events per second for the latency (default 2,000)")
    parser.add_argument("--seconds", type=float, default=60, help="how long latency is measured (default 60)")
    parser.add_argument("--only", choices=("job", "latency"), help="one part of it")
    parser.add_argument("--input", type=Path, help="file to keep the simulated events in, used again if it is there")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--update", action="store_true", help="write the table into docs/reference/performance.md and README.md")
    parser.add_argument("--profile", type=Path, help="let py-spy record the worker of the first run into this file")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every retry while topics are new
    with tempfile.TemporaryDirectory(prefix="deskpulse-bench-") as name, KafkaBroker() as broker:
        text = asyncio.run(measure(given, Path(name), broker.bootstrap))
    sys.stdout.write("\n" + text)
    if given.update:
        for page in update_pages(text):
            say(f"written into {page}")
    return 0


def say(text: str) -> None:
    """Progress, to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


async def measure(given: argparse.Namespace, directory: Path, bootstrap: str) -> str:
    """All parts in turn; the table."""
    floors: list[Run] = []
    jobs: list[Run] = []
    recovered = latency = None
    if given.only != "latency":
        _, settings = await new_pipeline(bootstrap, directory, INPUTS, declared=True)
        topics = {name: settings.topic(name) for name in INPUT_TOPICS}
        say(f"· {given.events:,} simulated events into the input topics")
        events, final_instant = await fill(bootstrap, given.input or directory / "events.jsonl", topics, given.events)
        configuration = None
        for number in range(given.runs):
            floors.append(await asyncio.to_thread(floor_run, bootstrap, events, topics))
            say(f"· floor {number + 1}: {_line(floors[-1])}")
            profile = given.profile if number == 0 else None
            run, configuration = await job_run(bootstrap, directory, INPUTS, events, final_instant, profile=profile)
            jobs.append(run)
            say(f"· whole job {number + 1}: {_line(run)}")
        if configuration is not None:
            recovered = await asyncio.to_thread(recovery_run, configuration)
            say(f"· recovery: {recovered.records:,} records in {recovered.seconds:.1f} s")
    if given.only != "job":
        say(f"· latency at {given.rate:,.0f} events/s for {given.seconds:.0f} s")
        latency = await latency_run(bootstrap, directory, given.rate, given.seconds)
    on = machine()
    if given.json:
        figures = {
            "machine": on,
            "floor": [run.plain() for run in floors],
            "whole_job": [run.plain() for run in jobs],
            "latency": None if latency is None else dataclasses.asdict(latency),
            "recovery": None if recovered is None else dataclasses.asdict(recovered),
        }
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return table(floors, jobs, latency, recovered, on)


def _line(run: Run) -> str:
    return f"{run.rate:,.0f} events/s, {run.cpu_per_million:.1f} CPU-s per million, peak {run.peak_mib:,.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())

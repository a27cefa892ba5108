"""``python -m bench``: speed of the whole job beside the floor, latency and recovery, in one run on one real Kafka."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import logging
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench import idle, long, mapping, scaling
from bench.latency import Latency, latency_run
from bench.machine import machine
from bench.pipeline import all_records, fill, new_pipeline
from bench.process import COMPILED
from bench.report import table, update_pages
from bench.rollup import rollup_cost
from bench.traffic import PanesRhythm, Traffic, distinct_keys, panes_rhythm, traffic
from bench.whole_job import Recovered, Run, floor_run, job_run, recovery_run
from stream_app.brokers.kafka import KafkaBroker
from stream_app.feeds.feed import INPUT_TOPICS
from stream_app.settings import load_settings

INPUTS = "bench-input"
SOME_WORKERS = (1, 2, 4)
TIMES_AS_LONG = 10
IDLE_CASES = 1_000_000
LEAST_PARTITIONS = 4
PARTS = ("job", "latency", "mapping", "scaling", "long", "idle")


@dataclass
class Figures:
    """Everything that was measured, for the JSON and the table."""

    floors: list[Run] = field(default_factory=list)
    jobs: list[Run] = field(default_factory=list)
    compiled: list[Run] = field(default_factory=list)
    recovered: Recovered | None = None
    latencies: list[Latency] = field(default_factory=list)
    topics: dict[str, Traffic] = field(default_factory=dict)
    cases: int = 0
    panes: PanesRhythm | None = None
    scaled: list[scaling.Scaled] = field(default_factory=list)
    long: long.Compared | None = None
    idle: idle.IdlePair | None = None
    mapping: mapping.Compared | None = None
    machine: dict[str, str] = field(default_factory=machine)

    def plain(self) -> dict[str, object]:
        """``topics`` and ``cases`` are those of the last whole job."""
        return {
            "machine": self.machine,
            "floor": [run.plain() for run in self.floors],
            "whole_job": [run.plain() for run in self.jobs],
            "whole_job_compiled": [run.plain() for run in self.compiled],
            "latency": [dataclasses.asdict(latency) for latency in self.latencies],
            "recovery": self.recovered and dataclasses.asdict(self.recovered),
            "topics": {name: dataclasses.asdict(written) for name, written in self.topics.items()},
            "cases": self.cases,
            "panes": self.panes and dataclasses.asdict(self.panes),
            "scaling": [run.plain() for run in self.scaled],
            "long": self.long and self.long.plain(),
            "idle": self.idle and self.idle.plain(),
            "mapping": self.mapping and self.mapping.plain(),
        }

    def table(self) -> str:
        parts = (mapping.lines(self.mapping), scaling.table(self.scaled), long.table(self.long), idle.lines(self.idle))
        return table(self.floors, self.jobs, self.compiled, self.latencies, self.recovered, self.machine, parts)


def main() -> int:
    """Parse, measure, print."""
    given = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every retry while topics are new
    broker = KafkaBroker(overrides={"group.initial.rebalance.delay.ms": scaling.JOIN_MILLISECONDS} if given.workers else {})
    with tempfile.TemporaryDirectory(prefix="deskpulse-bench-") as name, broker:
        figures = asyncio.run(Measuring(given, Path(name), broker).measure())
    text = figures.table()
    sys.stdout.write("\n" + text)
    if given.json:
        given.json.write_text(json.dumps(figures.plain(), indent=2) + "\n", encoding="utf-8")
    if given.update:
        for page in update_pages(text):
            say(f"written into {page}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="size of the simulated file (default 500,000)")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs of floor and whole job (default 3)")
    parser.add_argument("--rate", type=float, default=2_000, help="events per second for the latency (default 2,000)")
    parser.add_argument("--seconds", type=float, default=60, help="how long latency is measured (default 60)")
    parser.add_argument("--compiled", action="store_true", help="also whole job and latency by the compiled worker (after `make compiled`)")
    parser.add_argument("--workers", type=_counts, default=(), metavar="1,2,4", help="also the whole job with so many worker processes")
    parser.add_argument("--long", type=int, default=0, metavar="TIMES", help="also the whole job on a history so many times as long")
    parser.add_argument("--long-events", type=int, default=300_000, help="size of the shorter of its two histories (default 300,000)")
    parser.add_argument("--idle", type=int, default=0, metavar="CASES", help="also what so many open cases cost that nothing touches")
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    parser.add_argument("--input", type=Path, help="file to keep the simulated events in, used again if it is there")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--update", action="store_true", help="write the table into docs/reference/performance.md and README.md")
    parser.add_argument("--profile", type=Path, help="let py-spy record the worker of the first run into this file")
    given = parser.parse_args()
    if given.compiled and not COMPILED.is_dir():
        parser.error("nothing is compiled yet: run `make compiled`")
    if given.only:
        given.workers = (given.workers or SOME_WORKERS) if given.only == "scaling" else ()
        given.long = (given.long or TIMES_AS_LONG) if given.only == "long" else 0
        given.idle = (given.idle or IDLE_CASES) if given.only == "idle" else 0
    return given


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def say(text: str) -> None:
    """Progress, to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Measuring:
    """All parts in turn, on one broker."""

    def __init__(self, given: argparse.Namespace, directory: Path, broker: KafkaBroker) -> None:
        self.given = given
        self.directory = directory
        self.bootstrap = broker.bootstrap
        self.log_directory = broker.data_dir / "log"
        self.figures = Figures()

    async def measure(self) -> Figures:
        """What was asked for."""
        given = self.given
        if given.only in {None, "job", "scaling"}:
            await self._on_the_file()
        if given.only in {None, "latency"}:
            await self._latency()
        if given.only in {None, "mapping"}:
            say("· mapped and unmapped messages")
            self.figures.mapping = mapping.measure()
        if given.long:
            say(f"· whole job on {given.long_events:,} and on {given.long} times as many events")
            self.figures.long = await long.long_run(self.bootstrap, self.directory, given.long_events, given.long)
        if given.idle:
            say(f"· {given.idle:,} open cases, idle")
            self.figures.idle = await idle.idle_pair(self.bootstrap, self.directory, given.idle)
        return self.figures

    async def _on_the_file(self) -> None:
        given = self.given
        _, settings = await new_pipeline(self.bootstrap, self.directory, INPUTS, declared=True)
        topics = {name: settings.topic(name) for name in INPUT_TOPICS}
        say(f"· {given.events:,} simulated events into the input topics")
        events, final_instant = await fill(self.bootstrap, given.input or self.directory / "events.jsonl", topics, given.events)
        if given.only != "scaling":
            await self._job(events, final_instant, topics)
        partitions = max(LEAST_PARTITIONS, *given.workers) if given.workers else 0
        for workers in given.workers:
            run = await scaling.scaled_run(self.bootstrap, self.directory, INPUTS, events, final_instant, workers, partitions)
            self.figures.scaled.append(run)
            say(f"· {workers} workers: {run.rate:,.0f} events/s, {run.cpu_per_million:.1f} CPU-s per million, busiest {run.busiest:.2f}")

    async def _job(self, events: int, final_instant: int, topics: dict[str, str]) -> None:
        given, figures = self.given, self.figures
        configuration = None
        for number in range(given.runs):
            figures.floors.append(await asyncio.to_thread(floor_run, self.bootstrap, events, topics))
            say(f"· floor {number + 1}: {_line(figures.floors[-1])}")
            profile = given.profile if number == 0 else None
            run, configuration = await job_run(self.bootstrap, self.directory, INPUTS, events, final_instant, profile=profile)
            figures.jobs.append(run)
            say(f"· whole job {number + 1}: {_line(run)}")
            if given.compiled:
                run, _ = await job_run(self.bootstrap, self.directory, INPUTS, events, final_instant, compiled=True)
                figures.compiled.append(run)
                say(f"· whole job, compiled {number + 1}: {_line(run)}")
        if configuration is not None:
            settings = load_settings(configuration, {})
            figures.topics = await traffic(self.bootstrap, self.log_directory, settings)
            figures.cases = await distinct_keys(self.bootstrap, settings.topic("cases"))
            figures.recovered = recovered = await asyncio.to_thread(recovery_run, configuration)
            say(f"· recovery: {recovered.records:,} records in {recovered.seconds:.1f} s")

    async def _latency(self) -> None:
        given = self.given
        for compiled in (False, True) if given.compiled else (False,):
            say(f"· latency at {given.rate:,.0f} events/s for {given.seconds:.0f} s{', compiled' if compiled else ''}")
            latency, settings = await latency_run(self.bootstrap, self.directory, given.rate, given.seconds, compiled=compiled)
            self.figures.latencies.append(latency)
        cost = rollup_cost(await all_records(self.bootstrap, settings.topic("panes")), settings)
        self.figures.panes = await panes_rhythm(self.bootstrap, settings, given.rate, cost)


def _line(run: Run) -> str:
    return f"{run.rate:,.0f} events/s, {run.cpu_per_million:.1f} CPU-s per million, peak {run.peak_mib:,.0f} MiB"


if __name__ == "__main__":
    sys.exit(main())

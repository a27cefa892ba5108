"""``python -m bench.peers``: the engine and its peers on one job and one real Kafka, in turn, as one table."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.peers import topics
from bench.peers.environments import NotInstalledError, interpreter
from bench.peers.job import EVENTS_PER_MINUTE, FIRST_INSTANT, WINDOW_MS, events, truth
from bench.peers.report import PAGE, Entry, table, update_page
from bench.peers.roster import ROSTER
from bench.peers.running import FailedError, Job, crashed, measured
from bench.peers.verdict import compare
from stream_app.brokers.kafka import KafkaBroker


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--events", type=int, default=500_000, help="events of the job (default 500,000)")
    parser.add_argument("--runs", type=int, default=3, help="interleaved runs of everyone (default 3)")
    parser.add_argument("--only", action="append", choices=[contender.name for contender in ROSTER], help="this one; may be repeated")
    parser.add_argument("--no-crash", action="store_true", help="leave out the run with SIGKILL")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--update", action="store_true", help="write the table into docs/reference/performance.md")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every retry while topics are new
    entries = [Entry(contender) for contender in ROSTER if not given.only or contender.name in given.only]
    pythons = _install(entries)
    with KafkaBroker() as broker:
        jobs = _jobs(broker.bootstrap, given.events, entries)
        for number in range(given.runs):
            _measure(entries, pythons, jobs, number + 1)
        if not given.no_crash:
            _crash(entries, pythons, jobs)
    on = machine()
    text = table(entries, on)
    if given.json:
        figures = {"machine": on, "contenders": [_plain(entry) for entry in entries]}
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write("\n" + text)
    if given.update:
        update_page(text)
        say(f"written into {PAGE}")
    return 0


def say(text: str) -> None:
    """Progress, to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _install(entries: Sequence[Entry]) -> dict[str, Path]:
    pythons = {}
    for entry in entries:
        name = entry.contender.name
        if entry.contender.peer:
            say(f"· environment of {name}")
        try:
            pythons[name] = interpreter(entry.contender)
        except NotInstalledError as error:
            entry.failed = str(error)
            say(f"· {name} {error}")
    return pythons


def _jobs(bootstrap: str, count: int, entries: Sequence[Entry]) -> dict[int, Job]:
    """The job in every size that is asked for."""
    jobs = {}
    for size in sorted({_share(entry, count) for entry in entries}, reverse=True):
        say(f"· {size:,} events into their topic")
        topic = f"peers-input-{size}"
        asyncio.run(topics.fill(bootstrap, topic, events(size)))
        expected = truth(value for _, _, value in events(size))
        last = FIRST_INSTANT + (size - 1) * WINDOW_MS // EVENTS_PER_MINUTE
        jobs[size] = Job(bootstrap, topic, size, expected, partial(compare, expected, last_instant=last))
    return jobs


def _share(entry: Entry, count: int) -> int:
    return min(count, entry.contender.events or count)


def _job(entry: Entry, jobs: dict[int, Job]) -> Job:
    return jobs[_share(entry, max(jobs))]


def _measure(entries: Sequence[Entry], pythons: dict[str, Path], jobs: dict[int, Job], number: int) -> None:
    """Everyone once; whoever fails is out, the others go on."""
    for entry in entries:
        name = entry.contender.name
        if entry.failed:
            continue
        try:
            outcome = measured(entry.contender, pythons[name], _job(entry, jobs))
        except FailedError as error:
            entry.failed = str(error)
            say(f"· {name} {number}: {error}")
            continue
        entry.outcomes.append(outcome)
        run = outcome.run
        say(
            f"· {name} {number}: {run.rate:,.0f} events/s, {run.cpu_per_million:.1f} CPU-s per million, "
            f"peak {run.peak_mib:,.0f} MiB, windows right: {outcome.verdict}"
        )


def _crash(entries: Sequence[Entry], pythons: dict[str, Path], jobs: dict[int, Job]) -> None:
    for entry in entries:
        name = entry.contender.name
        if entry.failed or entry.contender.survives:
            continue
        try:
            entry.after_crash = crashed(entry.contender, pythons[name], _job(entry, jobs))
        except FailedError as error:
            entry.crash_failed = f"did not go on: {error}"
        say(f"· {name} after SIGKILL in the middle: {entry.survival}")


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.contender.name,
        "runs": [outcome.run.plain() | {"windows": asdict(outcome.verdict)} for outcome in entry.outcomes],
        "after_crash": None if entry.after_crash is None else asdict(entry.after_crash),
        "failed": entry.failed or entry.crash_failed,
    }


if __name__ == "__main__":
    sys.exit(main())

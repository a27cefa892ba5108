"""The whole job: a file of simulated events in the input topics, one worker, until every KPI is published."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.pipeline import first_mark, new_pipeline, watermark_reached
from bench.process import Worker

RECOVERED = re.compile(r"recovered (\d+) partitions from (\d+) records in ([\d.]+) s")
RECOVERY_DEADLINE_SECONDS = 300.0
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Run:
    """One run over the whole input. ``cpu_seconds`` are the one process's own."""

    events: int
    seconds: float
    cpu_seconds: float
    peak_mib: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        return self.cpu_seconds * 1e6 / self.events

    def plain(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Recovered:
    """A restart of a worker with the state of a run."""

    records: int
    seconds: float

    @property
    def seconds_per_million(self) -> float:
        return self.seconds * 1e6 / self.records


def floor_run(bootstrap: str, events: int, topics: Mapping[str, str]) -> Run:
    """The floor in a process of its own."""
    command = [sys.executable, "-m", "bench.floor", bootstrap, str(events), *topics.values()]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return Run(found["events"], found["seconds"], found["cpu_seconds"], found["peak_mib"])


async def job_run(
    bootstrap: str,
    directory: Path,
    inputs: str,
    events: int,
    final_instant: int,
    *,
    profile: Path | None = None,
    further: str = "",
    compiled: bool = False,
) -> tuple[Run, Path]:
    """One run; answers its figures and the configuration of the worker, whose state is left in Kafka. ``further``: sections of it."""
    configuration, settings = await new_pipeline(bootstrap, directory, inputs, declared=True, further=further)
    with Worker(configuration, compiled=compiled) as worker:
        if profile is not None:
            _profile(worker.process.pid, profile)
        end = await watermark_reached(bootstrap, settings.topic("kpis"), final_instant, worker.check)
        await asyncio.sleep(SETTLE_SECONDS)
    begin = await first_mark(bootstrap, settings.topic("events"))
    return Run(events, end - begin, worker.sampled.cpu_between(begin, end), worker.sampled.peak_mib), configuration


def _profile(pid: int, file: Path) -> None:
    """Let py-spy record the worker until it ends; it must be installed."""
    program = Path(sys.executable).with_name("py-spy")
    options = ["--gil", "--threads", "--format", "raw", "--rate", "400", "--duration", "600", "--pid", str(pid), "--output", str(file)]
    subprocess.Popen([str(program), "record", *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def recovery_run(configuration: Path) -> Recovered:
    """Start a worker on the state of a run and read from its log how long it took. Raises ``TimeoutError``."""
    with Worker(configuration) as worker:
        begin = worker.log.stat().st_size
        limit = time.monotonic() + RECOVERY_DEADLINE_SECONDS
        while time.monotonic() < limit:
            worker.check()
            for _, records, seconds in RECOVERED.findall(worker.log.read_text(encoding="utf-8", errors="replace")[begin:]):
                if int(records) > 0:
                    time.sleep(SETTLE_SECONDS)
                    return Recovered(int(records), float(seconds))
            time.sleep(0.1)
    raise TimeoutError("the worker did not recover in time")

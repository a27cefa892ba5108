"""The whole job with 1, 2, 4 … worker processes on the same input: events/s, what an event costs them together, who did how much."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.pipeline import first_mark, new_pipeline, watermark_reached
from bench.process import Worker
from bench.whole_job import SETTLE_SECONDS

JOIN_MILLISECONDS = 6_000
"""How long the broker waits for further members before it assigns for the first time: longer than a worker takes to start.
Otherwise the first one would have the work to itself, and then give it up again."""
ASSIGNED = re.compile(r"assigned \d+ partitions")


@dataclass(frozen=True)
class Scaled:
    """One run with so many workers. ``assignments``: of the worker that saw most; 1 if all had joined before the work began."""

    workers: int
    log_partitions: int
    events: int
    seconds: float
    cpu_seconds: tuple[float, ...]
    peak_mib: tuple[float, ...]
    assignments: int

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """Of all workers together."""
        return sum(self.cpu_seconds) * 1e6 / self.events

    @property
    def busiest(self) -> float:
        """CPU time of the busiest over the mean: 1 is perfect balance."""
        return max(self.cpu_seconds) * self.workers / sum(self.cpu_seconds)

    def plain(self) -> dict[str, object]:
        return {**asdict(self), "rate": self.rate, "cpu_per_million": self.cpu_per_million, "busiest": self.busiest}


async def scaled_run(
    bootstrap: str, directory: Path, inputs: str, events: int, final_instant: int, workers: int, log_partitions: int
) -> Scaled:
    """One run on empty topics of our own; from the first progress mark to the watermark that has reached the end."""
    configuration, settings = await new_pipeline(bootstrap, directory, inputs, declared=True, log_partitions=log_partitions)
    with ExitStack() as stack:
        running = [stack.enter_context(Worker(configuration, number)) for number in range(workers)]

        def check() -> None:
            for worker in running:
                worker.check()

        end = await watermark_reached(bootstrap, settings.topic("kpis"), final_instant, check)
        await asyncio.sleep(SETTLE_SECONDS)
        assignments = max(len(ASSIGNED.findall(worker.logged())) for worker in running)
    begin = await first_mark(bootstrap, settings.topic("events"))
    return Scaled(
        workers,
        log_partitions,
        events,
        end - begin,
        tuple(worker.sampled.cpu_between(begin, end) for worker in running),
        tuple(worker.sampled.peak_mib for worker in running),
        assignments,
    )


def table(runs: Sequence[Scaled]) -> list[str]:
    """Markdown; nothing for no runs."""
    if not runs:
        return []
    lines = [
        f"| Worker processes, {runs[0].events:,} events | Events/s | of one | CPU-s per million, together | Busiest | Peak memory |",
        "|---|---|---|---|---|---|",
    ]
    one = next((run.rate for run in runs if run.workers == 1), None)
    for run in runs:
        share = "" if one is None else f"{run.rate / one:.2f}"
        joined = "" if run.assignments == 1 else f" ({run.assignments} assignments)"
        lines.append(
            f"| {run.workers}{joined} | {run.rate:,.0f} | {share} | {run.cpu_per_million:.1f} | {run.busiest:.2f} × the mean | "
            f"{max(run.peak_mib):,.0f} MiB at most |"
        )
    return lines

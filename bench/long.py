"""The whole job on a history many times as long: is it no slower per event, and no bigger in memory?

Same traffic per day, so the number of open cases stays what it is. Both runs forget after ``HORIZON_DAYS``, which the
shorter one has passed as well: with the default horizon it would still be filling up, and there would be nothing to compare.

The shorter one has to go on for as long as a worker's memory grows fast while it catches up, which is about twenty seconds: rows
stay objects for thirty checkpoint intervals after they were written. What grows on after that is what is remembered of each
deletion until its tombstone, for an hour of wall time (``models.durability.compaction``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.pipeline import fill, new_pipeline
from bench.whole_job import Run, job_run
from stream_app.feeds.feed import INPUT_TOPICS

HORIZON_DAYS = 3
EVENTS_PER_DAY = 10_000
FORGETFUL = f'[time]\nhorizon = "{HORIZON_DAYS}d"\n[kpis]\nrepeat_window = "1d"\nreopen_window = "1d"'
"""What is remembered for longer than the horizon is refused."""


@dataclass(frozen=True)
class Compared:
    """The same worker on a short and on a long history."""

    times: int
    days: float
    short: Run
    long: Run

    def plain(self) -> dict[str, object]:
        return asdict(self)


async def long_run(bootstrap: str, directory: Path, events: int, times: int) -> Compared:
    """Fill two sets of inputs and run the job on each, the short one first."""
    days = events / EVENTS_PER_DAY
    short = await _filled_run(bootstrap, directory, "bench-short", events, days)
    long = await _filled_run(bootstrap, directory, "bench-long", events * times, days * times)
    return Compared(times, days, short, long)


async def _filled_run(bootstrap: str, directory: Path, inputs: str, events: int, days: float) -> Run:
    _, settings = await new_pipeline(bootstrap, directory, inputs, declared=True)
    topics: Mapping[str, str] = {name: settings.topic(name) for name in INPUT_TOPICS}
    file = directory / f"{inputs}.jsonl"
    sent, final_instant = await fill(bootstrap, file, topics, events, days)
    file.unlink()
    run, _ = await job_run(bootstrap, directory, inputs, sent, final_instant, further=FORGETFUL)
    return run


def table(compared: Compared | None) -> list[str]:
    """Markdown; nothing for no runs."""
    if compared is None:
        return []
    lines = [
        f"| Length of history (horizon {HORIZON_DAYS} days in both) | Events | Events/s | CPU-s per million | Peak memory |",
        "|---|---|---|---|---|",
    ]
    for days, run in ((compared.days, compared.short), (compared.days * compared.times, compared.long)):
        lines.append(f"| {days:.0f} days | {run.events:,} | {run.rate:,.0f} | {run.cpu_per_million:.1f} | {run.peak_mib:,.0f} MiB |")
    return lines

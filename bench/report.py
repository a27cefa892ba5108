"""The table, and where it is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.latency import Latency
from bench.whole_job import Recovered, Run

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "docs/reference/performance.md", ROOT / "README.md")
BLOCK = re.compile(r"<!-- BENCH begin.*?<!-- BENCH end -->", re.DOTALL)


def table(
    floors: Sequence[Run],
    jobs: Sequence[Run],
    compiled: Sequence[Run],
    latencies: Sequence[Latency],
    recovered: Recovered | None,
    on: dict[str, str],
    parts: Sequence[Sequence[str]] = (),
) -> str:
    """Markdown: the figures, the lines of further ``parts``, and the machine below them."""
    lines = []
    if jobs:
        lines.append("| One worker, one run of `make bench` | Events/s | of the floor | CPU-s per million | Peak memory |")
        lines.append("|---|---|---|---|---|")
        if floors:
            lines.append(_row("Floor: raw aiokafka + orjson + a dict", floors, floors))
        lines.append(_row("Whole job: input topics to published KPIs", jobs, floors))
        if compiled:
            lines.append(_row("The same, compiled (`make compiled`)", compiled, floors))
        lines.append("")
    lines += [_latency(latency) for latency in latencies]
    if recovered is not None:
        lines.append(
            f"Recovery: {recovered.seconds_per_million:.1f} s per million changelog records "
            f"({recovered.records:,} in {recovered.seconds:.1f} s)."
        )
    for part in parts:
        if part:
            lines += ["", *part]
    lines += ["", _machine(on, jobs)]
    return "\n".join(lines) + "\n"


def _latency(found: Latency) -> str:
    return (
        f"From producing an event to the KPI that includes it, at {found.rate:,.0f} events/s{', compiled' if found.compiled else ''}: "
        f"p50 {found.p50 * 1000:.0f} ms, p99 {found.p99 * 1000:.0f} ms, longest {found.worst * 1000:.0f} ms "
        f"({found.measured:,} contacts; {found.cpu_share:.0%} of one core).  "
    )


def _row(name: str, runs: Sequence[Run], floors: Sequence[Run]) -> str:
    share = f"{median(run.rate for run in runs) / median(run.rate for run in floors):.3f}" if floors else ""
    return (
        f"| {name} | {spread([run.rate for run in runs], ',.0f')} | {share} | "
        f"{spread([run.cpu_per_million for run in runs], '.1f')} | {spread([run.peak_mib for run in runs], ',.0f')} MiB |"
    )


def spread(values: Sequence[float], form: str) -> str:
    """The median, with the range of several values."""
    middle = format(median(values), form)
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}} – {max(values):{form}})"


def _machine(on: dict[str, str], jobs: Sequence[Run]) -> str:
    runs = f"{len(jobs)} interleaved runs, medians (ranges)" if len(jobs) > 1 else "1 run"
    events = f"{jobs[0].events:,} simulated events, 3 topics of 4 partitions, {runs}. " if jobs else ""
    return (
        f"{events}{on['cpu']}, {on['cores']} cores shared with the broker, {on['memory']}; "
        f"Python {on['python']}, Apache Kafka {on['kafka']}, aiokafka {on['aiokafka']}, "
        f"faust-streaming {on['faust-streaming']}, msgspec {on['msgspec']}, {on['system']}."
    )


def update_pages(text: str) -> list[Path]:
    """Replace the marked block of each page that has one."""
    changed = []
    for page in PAGES:
        if not page.exists():
            continue
        content = page.read_text(encoding="utf-8")
        found = BLOCK.search(content)
        if found:
            block = f"<!-- BENCH begin: written by `python -m bench --update` -->\n{text}<!-- BENCH end -->"
            page.write_text(content[: found.start()] + block + content[found.end() :], encoding="utf-8")
            changed.append(page)
    return changed

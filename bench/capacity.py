"""``python -m bench.capacity --json FIGURES.json --rate 1000000``: the tables of what a rate of events would need."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.capacity_model import DAY, GIB, Assumed, Measured, Needs, limits, needs

PAGE = Path(__file__).resolve().parent.parent / "docs/explanation/scaling.md"
BLOCK = re.compile(r"<!-- CAPACITY begin.*?<!-- CAPACITY end -->", re.DOTALL)
BY_TIME = ("panes", "kpis")


def text(rate: float, measured: Measured, assumed: Assumed) -> str:
    """Markdown: what is needed, what the broker moves, what ends first."""
    found = needs(rate, measured, assumed)
    cpu, cores = measured.machine["cpu"], measured.machine["cores"]
    basis = f"From {measured.events:,} simulated events on {cpu}, {cores} cores shared with the broker."
    parts = (_needed(found, measured, assumed), _topics(found, measured), _limits(measured, assumed), (basis,))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _needed(found: Needs, measured: Measured, assumed: Assumed) -> Iterator[str]:
    fast, slow, days = measured.publish_interval, measured.checkpoint_interval, f"{assumed.horizon_days:g} days"
    events = found.rate / found.partitions
    changed = f"fast panes that {events * fast:,.0f} events change in {fast:g} s, slow ones that {events * slow:,.0f} change in {slow:g} s"
    horizon = assumed.worker_memory_gib * GIB / measured.bytes_per_case * found.workers / found.cases_per_second
    rows = (
        (
            "Workers, one core each",
            f"{found.workers:,}",
            f"{measured.cpu_seconds * 1e6:.1f} CPU-s per million events; cores {assumed.utilisation:.0%} busy",
        ),
        ("Log partitions", f"{found.partitions:,}", f"{assumed.partitions_per_worker:g} per worker"),
        (
            "Records per second to the one Rollup",
            f"{found.pane_records:,.0f}",
            f"{found.partitions:,} × ({changed}, and {measured.others:.1f} others per s)",
        ),
        ("Cores for that Rollup", f"{found.rollup_cores:.2f}", "it can use one"),
        (
            "Brokers",
            f"{found.brokers:,}",
            f"{_rate(found.written_together)} × {assumed.replication} replicas, {_rate(assumed.broker_bytes_per_second)} each",
        ),
        ("Disk", _size(found.disk), f"inputs 7 days, logs 42 days, {assumed.replication} replicas"),
        (
            f"Memory per worker for {days} of it",
            _size(found.memory_per_worker),
            f"{found.cases_per_second:,.0f} cases/s, {measured.bytes_per_case:,.0f} bytes each",
        ),
        ("Longest horizon without that", _duration(horizon), f"{assumed.worker_memory_gib:g} GiB per worker"),
        (
            f"Recovery of one worker with {days} of it",
            _duration(found.recovery_seconds),
            f"{measured.recovery_seconds_per_record * 1e6:.1f} s per million records",
        ),
    )
    yield f"| At {found.rate:,.0f} events/s | Needed | Computed from |"
    yield "|---|---|---|"
    yield from (f"| {what} | {much} | {why} |" for what, much, why in rows)


def _topics(found: Needs, measured: Measured) -> Iterator[str]:
    yield "| Topic | Records per event | Bytes per event | Written | Read |"
    yield "|---|---|---|---|---|"
    for name, written in found.written.items():
        per_event = "by time | by time" if name in BY_TIME else "{:.2f} | {:.0f}".format(*measured.topics[name])
        read = _rate(found.read[name]) if name in found.read else "to recover"
        yield f"| `{name}` | {per_event} | {_rate(written)} | {read} |"
    yield f"| Together, without replicas | | | {_rate(found.written_together)} | {_rate(sum(found.read.values()))} |"


def _limits(measured: Measured, assumed: Assumed) -> Iterator[str]:
    yield "| What ends first | At events/s | Because |"
    yield "|---|---|---|"
    for what, at, why in limits(measured, assumed):
        yield f"| {what} | {at:,.0f} | {why} |"


def _rate(bytes_per_second: float) -> str:
    return f"{bytes_per_second / 1e6:,.1f} MB/s"


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} PB"


def _duration(seconds: float) -> str:
    for unit, length in (("days", DAY), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.1f} s"


def update_page(table: str, page: Path = PAGE) -> None:
    """Put the tables between the page's markers. Raises ``ValueError`` for a page without them."""
    content = page.read_text(encoding="utf-8")
    found = BLOCK.search(content)
    if found is None:
        raise ValueError(f"{page} has no CAPACITY markers")
    block = f"<!-- CAPACITY begin: written by `python -m bench.capacity --update` -->\n{table}<!-- CAPACITY end -->"
    page.write_text(content[: found.start()] + block + content[found.end() :], encoding="utf-8")


def main() -> int:
    """Parse, compute, print."""
    plain = Assumed()
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="figures of `python -m bench --json FILE`")
    parser.add_argument("--rate", type=float, default=1_000_000, help="events per second (default 1,000,000)")
    parser.add_argument("--utilisation", type=float, default=plain.utilisation, help="share of a core that may be busy (default 0.7)")
    parser.add_argument("--partitions-per-worker", type=float, default=plain.partitions_per_worker, help="log partitions (default 2)")
    parser.add_argument("--worker-memory-gib", type=float, default=plain.worker_memory_gib, help="memory of one worker (default 8)")
    parser.add_argument("--horizon-days", type=float, default=plain.horizon_days, help="time.horizon (default 35)")
    parser.add_argument("--replication", type=int, default=plain.replication, help="copies of every topic (default 3)")
    parser.add_argument("--broker-megabytes", type=float, default=100.0, help="MB/s that one broker takes (100)")
    parser.add_argument("--readers", type=int, default=plain.readers, help="outside readers of each output topic (default 1)")
    parser.add_argument("--update", action="store_true", help="write the tables into docs/explanation/scaling.md")
    given = parser.parse_args()
    assumed = Assumed(
        given.utilisation,
        given.partitions_per_worker,
        given.worker_memory_gib,
        given.horizon_days,
        given.replication,
        given.broker_megabytes * 1e6,
        given.readers,
    )
    try:
        measured = Measured.of(json.loads(given.json.read_text(encoding="utf-8")))
    except ValueError as error:
        parser.error(str(error))
    table = text(given.rate, measured, assumed)
    sys.stdout.write(table)
    if given.update:
        update_page(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a rate of events would need: the arithmetic, from what ``python -m bench --json`` measured.

What is not a measurement is an assumption, named in ``Assumed``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

DAY = 86_400
GIB = 2**30
MIB = 2**20

INPUTS = ("contacts", "resolutions", "surveys")
LOGS = ("events", "customer-log")
FOR_OTHERS = ("case-events", "sla-events", "cases")
CHANGELOGS = ("cases-changelog", "customers-changelog")
KEPT_DAYS = {**dict.fromkeys(INPUTS, 7), **dict.fromkeys((*LOGS, "case-events", "sla-events"), 42)}
"""Retention by default: inputs a week, logs the horizon of 35 days and a week. What is not here is compacted."""
MOST_PARTITIONS = 1024
"""``kafka.log_partitions`` takes no more."""


@dataclass(frozen=True)
class Measured:
    """Costs of one event, and what Rollup costs whatever the number of events."""

    cpu_seconds: float
    topics: dict[str, tuple[float, float]]
    cases: float
    bytes_per_case: float
    recovery_seconds_per_record: float
    fast: list[tuple[float, float]]
    slow: list[tuple[float, float]]
    others: float
    pane_bytes: float
    publish_interval: float
    checkpoint_interval: float
    pane_read_seconds: float
    publish_seconds: float
    kpi_keys: int
    kpi_bytes: float
    machine: dict[str, str]
    events: int

    @classmethod
    def of(cls, figures: dict[str, Any]) -> Measured:
        """Raises ``ValueError`` where a part was not measured."""
        absent = [name for name in ("floor", "whole_job", "topics", "cases", "recovery", "panes") if not figures.get(name)]
        if absent:
            raise ValueError(f"the figures have no {', '.join(absent)}: measure with `python -m bench --json FILE`, without --only")
        jobs, panes = figures["whole_job"], figures["panes"]
        events = jobs[-1]["events"]
        topics = {name: (found["records"] / events, found["bytes"] / events) for name, found in figures["topics"].items()}
        kpis, recovery = figures["topics"]["kpis"], figures["recovery"]
        bare = median(run["peak_mib"] for run in figures["floor"])
        return cls(
            cpu_seconds=median(run["cpu_seconds"] / run["events"] for run in jobs),
            topics=topics,
            cases=figures["cases"] / events,
            bytes_per_case=(median(run["peak_mib"] for run in jobs) - bare) * MIB / figures["cases"],
            recovery_seconds_per_record=recovery["seconds"] / recovery["records"],
            fast=[(count, different) for count, different in panes["fast"]],
            slow=[(count, different) for count, different in panes["slow"]],
            others=panes["others"],
            pane_bytes=panes["bytes_per_record"],
            publish_interval=panes["publish_interval"],
            checkpoint_interval=panes["checkpoint_interval"],
            pane_read_seconds=panes["read_seconds_per_record"],
            publish_seconds=panes["publish_seconds"],
            kpi_keys=panes["kpi_keys"],
            kpi_bytes=kpis["bytes"] / max(kpis["records"], 1),
            machine=figures["machine"],
            events=events,
        )


@dataclass(frozen=True)
class Assumed:
    """What is not measured. ``utilisation``: of a core, the rest is for bursts and catching up."""

    utilisation: float = 0.7
    partitions_per_worker: float = 2.0
    worker_memory_gib: float = 8.0
    horizon_days: float = 35.0
    replication: int = 3
    broker_bytes_per_second: float = 100e6
    readers: int = 1


@dataclass(frozen=True)
class Needs:
    """At one rate. Bytes per second are of the whole cluster."""

    rate: float
    workers: int
    partitions: int
    pane_records: float
    rollup_cores: float
    written: dict[str, float]
    read: dict[str, float]
    disk: float
    brokers: int
    cases_per_second: float
    memory_per_worker: float
    recovery_seconds: float

    @property
    def written_together(self) -> float:
        """Without replicas."""
        return sum(self.written.values())


def interpolated(curve: Sequence[tuple[float, float]], at: float) -> float:
    """Between two measured points on the straight line, below the first in proportion, beyond the last as the last step goes on."""
    before = (0.0, 0.0)
    for point in curve:
        if at <= point[0]:
            break
        before = point
    else:
        before, point = curve[-2] if len(curve) > 1 else (0.0, 0.0), curve[-1]
    return before[1] + (point[1] - before[1]) * (at - before[0]) / (point[0] - before[0])


def workers_for(rate: float, measured: Measured, assumed: Assumed) -> int:
    """Worker processes, one core each."""
    return max(1, math.ceil(rate * measured.cpu_seconds / assumed.utilisation))


def rollup(rate: float, partitions: int, measured: Measured) -> tuple[float, float]:
    """Pane records per second that the one active Rollup receives, and the share of a core that they and publishing take.

    However many events change a pane within an interval, it is sent once; so what counts is how many different ones the
    events of one partition and one interval change. Fast panes go by the publish interval, slow ones by the checkpoint's.
    """
    panes = 0.0
    for changed, interval in ((measured.fast, measured.publish_interval), (measured.slow, measured.checkpoint_interval)):
        panes += interpolated(changed, rate * interval / partitions) / interval
    records = partitions * (panes + measured.others)
    return records, records * measured.pane_read_seconds + measured.publish_seconds / measured.publish_interval


def needs(rate: float, measured: Measured, assumed: Assumed) -> Needs:
    """Everything at one rate."""
    workers = workers_for(rate, measured, assumed)
    partitions = math.ceil(workers * assumed.partitions_per_worker)
    pane_records, rollup_cores = rollup(rate, partitions, measured)
    written = {name: rate * measured.topics[name][1] for name in (*INPUTS, *LOGS, *FOR_OTHERS, *CHANGELOGS)}
    written["panes"] = pane_records * measured.pane_bytes
    written["kpis"] = measured.kpi_keys / measured.publish_interval * measured.kpi_bytes
    read = {name: written[name] for name in (*INPUTS, *LOGS, "panes")}
    read |= {name: written[name] * assumed.readers for name in (*FOR_OTHERS, "kpis")}
    held = rate * measured.cases * assumed.horizon_days * DAY / workers
    return Needs(
        rate=rate,
        workers=workers,
        partitions=partitions,
        pane_records=pane_records,
        rollup_cores=rollup_cores,
        written=written,
        read=read,
        disk=sum(written[name] * days * DAY for name, days in KEPT_DAYS.items()) * assumed.replication,
        brokers=math.ceil(sum(written.values()) * assumed.replication / assumed.broker_bytes_per_second),
        cases_per_second=rate * measured.cases,
        memory_per_worker=held * measured.bytes_per_case,
        recovery_seconds=held * measured.recovery_seconds_per_record,
    )


def greatest(holds: Callable[[float], bool]) -> float:
    """The greatest rate up to which ``holds(rate)`` is true, within a per mille; 0 if it never is. Once false, it stays false."""
    low, high = 0.0, 1e12
    if not holds(1.0):
        return 0.0
    while high - low > max(1.0, low / 1000):
        middle = (low + high) / 2 if low == 0.0 or high / low < 4 else math.sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def limits(measured: Measured, assumed: Assumed) -> list[tuple[str, float, str]]:
    """(what ends, at which rate, why), the first to end first."""
    per_worker = assumed.utilisation / measured.cpu_seconds
    fits = assumed.worker_memory_gib * GIB / measured.bytes_per_case
    sustained = fits / (measured.cases * assumed.horizon_days * DAY)
    most_workers = math.floor(MOST_PARTITIONS / assumed.partitions_per_worker)

    def rollup_holds(rate: float) -> bool:
        return needs(rate, measured, assumed).rollup_cores <= assumed.utilisation

    found = [
        (
            f"Memory, {assumed.horizon_days:g} days of such a rate on {most_workers} workers",
            sustained * most_workers,
            f"{assumed.worker_memory_gib:g} GiB hold {fits:,.0f} cases: {sustained:,.1f} events/s per worker, kept up day and night",
        ),
        (
            "The one active Rollup",
            greatest(rollup_holds),
            f"one core: {measured.pane_read_seconds * 1e6:.1f} µs per pane record, {measured.publish_seconds * 1000:.1f} ms per publish",
        ),
        (
            "`kafka.log_partitions`",
            most_workers * per_worker,
            f"at most {MOST_PARTITIONS}, so {most_workers} workers of {per_worker:,.0f} events/s",
        ),
    ]
    return sorted(found, key=lambda limit: limit[1])

"""What a run wrote to the broker: records by end offsets, bytes by the broker's own files, and how busy the panes were."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from bench.pipeline import all_records, consuming
from bench.rollup import RollupCost
from stream_app.settings import Settings

OURS = (
    "events",
    "customer-log",
    "case-events",
    "sla-events",
    "cases",
    "cases-changelog",
    "customers-changelog",
    "panes",
    "kpis",
    "kpi-windows",
    "dead-letters",
)
WINDOWS_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True)
class Traffic:
    """Of one topic, all partitions together. Bytes as they stand in the log: with batch headers, without replicas."""

    records: int
    bytes: int


async def traffic(bootstrap: str, log_directory: Path, settings: Settings) -> dict[str, Traffic]:
    """By logical topic, for everything that ``settings`` name. Nothing is compacted so soon: what was written is still there."""
    found = {}
    for name in (*settings.active_inputs(), *OURS):
        topic = settings.topic(name)
        async with consuming(bootstrap, topic) as consumer:
            ends = await consumer.end_offsets(sorted(consumer.assignment()))
        folders = [log_directory / f"{partition.topic}-{partition.partition}" for partition in ends]
        size = sum(file.stat().st_size for folder in folders for file in folder.glob("*.log"))
        found[name] = Traffic(sum(ends.values()), size)
    return found


async def distinct_keys(bootstrap: str, topic: str) -> int:
    """Keys that a topic holds from its beginning to its present end."""
    return len({record.key for record in await all_records(bootstrap, topic)})


@dataclass(frozen=True)
class PanesRhythm:
    """How many different panes a partition changes while so many events pass through it: the greatest number in any stretch.

    ``fast``, ``slow``: by tier, (events of one partition, different panes of one partition). Rollup is sent each fast one once per
    publish interval and each slow one once per checkpoint interval, and ``others`` beside them: levels and status, per partition and
    second, whatever happens.
    """

    fast: list[tuple[float, int]]
    slow: list[tuple[float, int]]
    others: float
    cells: int
    kpi_keys: int
    bytes_per_record: float
    publish_interval: float
    checkpoint_interval: float
    read_seconds_per_record: float
    publish_seconds: float


def changed_panes(stamped: Sequence[tuple[float, bytes]], events_per_second: float) -> list[tuple[float, int]]:
    """``stamped``: time (s) and key of every pane record of one partition, in order of time."""
    instants = [instant for instant, _ in stamped]
    curve = []
    for window in WINDOWS_SECONDS:
        if not instants or instants[-1] - instants[0] < window:
            break
        most, begin = 0, instants[0]
        while begin + window <= instants[-1]:
            first, last = bisect_left(instants, begin), bisect_left(instants, begin + window)
            most = max(most, len({key for _, key in stamped[first:last]}))
            begin += window
        curve.append((window * events_per_second, most))
    return curve


def _greatest(partitions: Iterable[Sequence[tuple[float, bytes]]], events_per_second: float) -> list[tuple[float, int]]:
    """The curve of whichever partition changes most."""
    curves = [changed_panes(sorted(stamped), events_per_second) for stamped in partitions]
    return [max(points, key=itemgetter(1)) for points in zip(*curves, strict=False)]


async def panes_rhythm(bootstrap: str, settings: Settings, rate: float, cost: RollupCost) -> PanesRhythm:
    """From the panes of a live run at ``rate`` events/s."""
    by_tier: dict[str, dict[int, list[tuple[float, bytes]]]] = {"fast": defaultdict(list), "slow": defaultdict(list)}
    cells: set[tuple[str, ...]] = set()
    others = size = 0
    records = await all_records(bootstrap, settings.topic("panes"))
    for record in records:
        kind, _, partition, *rest = json.loads(record.key)
        size += len(record.key) + len(record.value or b"")
        if kind != "p":
            others += 1
            continue
        tier, _, cell = rest
        by_tier[tier][partition].append((record.timestamp / 1000, record.key))
        cells.add(tuple(cell))
    partitions = settings.kafka.log_partitions
    lasted = (records[-1].timestamp - records[0].timestamp) / 1000
    return PanesRhythm(
        fast=_greatest(by_tier["fast"].values(), rate / partitions),
        slow=_greatest(by_tier["slow"].values(), rate / partitions),
        others=others / partitions / lasted,
        cells=len(cells),
        kpi_keys=await distinct_keys(bootstrap, settings.topic("kpis")),
        bytes_per_record=size / len(records),
        publish_interval=settings.engine.publish_interval.total_seconds(),
        checkpoint_interval=settings.engine.checkpoint_interval.total_seconds(),
        read_seconds_per_record=cost.read_seconds_per_record,
        publish_seconds=cost.publish_seconds,
    )

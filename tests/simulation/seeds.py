"""Runs many seeds on all cores and counts what they did."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.plan import ZOMBIE, Plan, plan_of
from tests.simulation.verdict import differences
from tests.simulation.world import World

CHUNK = 50


@dataclass(slots=True)
class Tally:
    """What some seeds did; ``failed`` maps each failing one to its first differences."""

    seeds: int = 0
    records: Counter[int] = field(default_factory=Counter)
    faults: Counter[int] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.records += other.records
        self.faults += other.faults
        self.struck += other.struck
        self.seen += other.seen
        self.failed |= other.failed

    def report(self) -> str:
        """The distributions as text."""
        total = sum(count * number for number, count in self.records.items())
        lines = [f"{self.seeds} seeds, {total} input records, {len(self.failed)} failed"]
        lines.append(f"  records per seed: {min(self.records)} to {max(self.records)}, {total / self.seeds:.0f} on average")
        lines.append("  faults per seed:  " + ", ".join(f"{number}: {count}" for number, count in sorted(self.faults.items())))
        lines.append("  faults struck:    " + ", ".join(f"{kind} {count}" for kind, count in self.struck.most_common()))
        lines.append("  seen:             " + ", ".join(f"{what} {count}" for what, count in self.seen.most_common()))
        return "\n".join(lines)


def run(plan: Plan, broken: str = "") -> tuple[World, list[str]]:
    """The run of a plan, and the first differences to the uninterrupted one. An error that ends a worker counts as one."""
    world = World(plan, broken)
    try:
        world.run()
        found = list(differences(world))
    except Exception as error:
        found = [f"raised {error!r}"]
    return world, found[:5]


def fails(plan: Plan, broken: str = "") -> bool:
    """Whether the run differs at all."""
    return bool(run(plan, broken)[1])


def _chunk(begin: int, end: int) -> Tally:
    gc.freeze()
    gc.set_threshold(200_000)
    tally = Tally()
    for seed in range(begin, end):
        plan = plan_of(seed)
        world, found = run(plan)
        tally.seeds += 1
        tally.records[plan.records] += 1
        tally.faults[sum(world.struck.values())] += 1
        tally.struck += world.struck
        tally.seen += _seen(plan, world)
        if found:
            tally.failed[seed] = found
    return tally


def _seen(plan: Plan, world: World) -> Counter[str]:
    logs = world.broker.logs
    seen = Counter({"records written": world.writes["any write"], "changelog records": world.writes["changelog write"]})
    seen["late records"] += plan.late
    seen["change of definitions"] += len(plan.definitions) > 1
    seen["zombies in the end"] += bool(world.struck[ZOMBIE] and world.has_sleepers)
    for number in range(2):
        for name in ("cases", "customers"):
            state = world.owner(name, number).state
            seen["timers fired"] += state.counters.get("timers", 0)
            seen["too late"] += state.counters.get("too_late", 0)
        seen["deleted rows"] += sum(len(record.value or b"") == 8 and (record.key or b"")[:1] == b"r" for record in logs["cases-changelog", number])
        seen["sla-events"] += len(logs["sla-events", number])
    return seen


def run_all(count: int, begin: int = 0, processes: int | None = None) -> Tally:
    """All seeds from ``begin`` on, in parallel."""
    tally = Tally()
    starts: Iterable[int] = range(begin, begin + count, CHUNK)
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(_chunk, starts, (min(start + CHUNK, begin + count) for start in starts)):
            tally.add(part)
    return tally

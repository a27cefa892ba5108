"""Runs a plan: two workers, a seeded scheduler, faults at the writes where the plan says."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Final

from models.durability import compaction, rows
from models.events.canonical import Definitions
from stream_app.wire import canonical
from tests.simulation.broker import COMPACTED, Broker
from tests.simulation.mutations import applied
from tests.simulation.plan import (
    ANY_WRITE,
    CHANGELOG_WRITE,
    COMPACT,
    CRASH,
    DELAY,
    MINUTE,
    MOVE,
    PARTITIONS,
    SOURCES,
    START,
    ZOMBIE,
    Arrival,
    Fault,
    Plan,
)
from tests.simulation.worker import Partition, Worker

UNITS: Final = tuple((name, number) for name in ("cases", "customers") for number in range(PARTITIONS))
CHANGELOGS: Final = frozenset(COMPACTED[:2])
COMPACTION_LAG: Final = 10
"""``min.compaction.lag.ms``, in checkpoints. The two constants of ``models.durability.compaction`` are made as small."""
REWRITE_OVER: Final = 4
TOMBSTONE_AFTER: Final = 20
COLD_AFTER: Final = 2
TURN: Final = 240 * MINUTE
"""Most that event time goes on in a turn."""
IN_THE_END: Final = 1 << 30
"""A turn that never comes: a zombie that sleeps so long writes when everyone else is through."""
MOST_TURNS: Final = 3_000


@contextmanager
def small_constants() -> Iterator[None]:
    """Rewriting and tombstones within a run as short as ours."""
    before = compaction.REWRITE_OVER, compaction.TOMBSTONE_AFTER, rows.COLD_AFTER
    compaction.REWRITE_OVER, compaction.TOMBSTONE_AFTER, rows.COLD_AFTER = REWRITE_OVER, TOMBSTONE_AFTER, COLD_AFTER
    try:
        yield
    finally:
        compaction.REWRITE_OVER, compaction.TOMBSTONE_AFTER, rows.COLD_AFTER = before


def _sent_at(arrival: Arrival) -> int:
    return arrival.at


class Sleeper:
    """A worker that lost everything and does not know it: asleep until ``wakes``, gone after ``ends``."""

    def __init__(self, worker: Worker, wakes: int, ends: int) -> None:
        self.worker = worker
        self.wakes = wakes
        self.ends = ends


class World:
    """One run. ``broken`` names a part of the protocol that the workers get wrong; none of them if empty."""

    def __init__(self, plan: Plan, broken: str = "") -> None:
        self.plan = plan
        self.broker = Broker()
        self.struck: Counter[str] = Counter()
        self.writes = {ANY_WRITE: 0, CHANGELOG_WRITE: 0}
        self.turns = 0
        self._random = Random(plan.seed ^ 0x5EED)
        self.broken = broken
        self._await(sorted(plan.faults, key=lambda fault: fault.at))
        self._due: list[Fault] = []
        self._queues = {source: [a for a in plan.arrivals if a.source == source] for source in SOURCES}
        self._now = START
        self._held: dict[str, int] = {}
        self._policies = list(plan.definitions[1:])
        self._sleepers: list[Sleeper] = []
        self._rebalance_at = -1
        self._publish_definitions(1)
        self.broker.on_write = self._on_write
        self.workers = [self._new_worker(), self._new_worker()]
        self._assign()

    def run(self) -> None:
        """Everything arrives, every fault strikes, everything is drained."""
        with self.protocol():
            while self._going_on():
                self._turn()
            self._strike(self.workers[0])
            self._settle()

    @contextmanager
    def protocol(self) -> Iterator[None]:
        """The protocol as this run's workers know it."""
        with small_constants(), applied(self.broken):
            yield

    # -- turns ------------------------------------------------------------------------------------------

    def _going_on(self) -> bool:
        if self.turns > MOST_TURNS:
            message = "the run does not end"
            raise AssertionError(message)
        if any(self._queues.values()):
            return True
        if self._waiting:
            self._hasten()
            return True
        return self.turns < 18 or any(worker.intake_busy or any(p.unread for p in worker.partitions.values()) for worker in self.workers)

    def _hasten(self) -> None:
        """What has not struck when the inputs end strikes at one of the next writes."""
        soon = [min(fault.at, self.writes[fault.counted] + 1 + fault.choice % 40) for fault in self._waiting]
        self._await([replace(fault, at=at) for fault, at in zip(self._waiting, soon, strict=True)])
        if not any(worker.intake_busy or any(p.unread or p.busy for p in worker.partitions.values()) for worker in self.workers):
            self._due = self._waiting
            self._await([])
            self._strike(self.workers[0])

    def _turn(self) -> None:
        self.turns += 1
        random = self._random
        self._arrive()
        if self._policies and self.turns == 12:
            self._policies.clear()
            self._publish_definitions(2)
        for slot in (0, 1) if random.random() < 0.5 else (1, 0):
            worker = self.workers[slot]
            self._act(worker)
            if self._due:
                self._strike(worker)
        for sleeper in list(self._sleepers):
            if sleeper.wakes <= self.turns:
                self._act(sleeper.worker)
                self._strike(self.workers[self.turns % 2])
            if sleeper.ends <= self.turns:
                self._sleepers.remove(sleeper)
        if self._rebalance_at == self.turns:
            self._rebalance()

    def _act(self, worker: Worker) -> None:
        random, broker = self._random.random, self.broker
        worker.read_inputs(5)
        worker.intake_outgoing.deliver(int(random() * 14))
        if broker.interrupted:
            return
        if worker.handled:
            worker.tick(int(random() * 3), commits=worker in self.workers)
        for partition in list(worker.partitions.values()):
            if broker.interrupted:
                return
            self._act_on(partition)

    def _act_on(self, partition: Partition) -> None:
        random, broker = self._random.random, self.broker
        if random() < 0.8:
            partition.handle(1 + int(random() * 9))
        if partition.outgoing.sends:
            partition.outgoing.deliver(int(random() * 24))
        chance = random()
        if chance < 0.6:
            partition.begin(checkpoint=chance < 0.4)
        if not broker.interrupted:
            partition.write(int(random() * 30))
        if not broker.interrupted and random() < 0.3:
            partition.handle(1 + int(random() * 5))

    def _arrive(self) -> None:
        self._now += int(self._random.random() * TURN)
        for source, queue in self._queues.items():
            if not queue or self._held.get(source, 0) > self.turns:
                continue
            count = bisect_right(queue, self._now, key=_sent_at)
            for arrival in queue[:count]:
                self._send(arrival)
            del queue[:count]

    def _send(self, arrival: Arrival) -> None:
        topic, _, number = arrival.source.rpartition("-")
        self.broker.write(topic, None, arrival.value, int(number))

    def _publish_definitions(self, version: int) -> None:
        value = canonical.encode(Definitions(version, dict(self.plan.definitions[version - 1])))
        for log in ("events", "customer-log"):
            for number in range(PARTITIONS):
                self.broker.write(log, None, value, number)

    # -- faults -----------------------------------------------------------------------------------------

    def _on_write(self, topic: str) -> None:
        writes = self.writes
        writes[ANY_WRITE] += 1
        if topic in CHANGELOGS:
            writes[CHANGELOG_WRITE] += 1
        if writes[ANY_WRITE] >= self._next[ANY_WRITE] or writes[CHANGELOG_WRITE] >= self._next[CHANGELOG_WRITE]:
            self._due += [fault for fault in self._waiting if fault.at <= writes[fault.counted]]
            self._await([fault for fault in self._waiting if fault.at > writes[fault.counted]])
            self.broker.interrupted = True

    def _await(self, faults: list[Fault]) -> None:
        self._waiting = faults
        self._next = {counted: min((fault.at for fault in faults if fault.counted == counted), default=1 << 60) for counted in (ANY_WRITE, CHANGELOG_WRITE)}

    def _strike(self, worker: Worker) -> None:
        """Faults that the worker's last write brought on."""
        while self._due:
            fault = self._due.pop(0)
            self.broker.interrupted = False
            self.struck[fault.kind] += 1
            if fault.kind == CRASH:
                self._replace(worker, worker)
            elif fault.kind == ZOMBIE:
                wakes = self.turns + 1 + fault.choice % 8 if fault.choice % 3 else IN_THE_END
                self._sleepers.append(Sleeper(worker, wakes, wakes + 1 + fault.choice // 64 % 6))
                worker.cut_off()
                self._replace(worker, worker)
            elif fault.kind == MOVE:
                self._rebalance()
            elif fault.kind == DELAY:
                self._held[SOURCES[fault.choice % len(SOURCES)]] = self.turns + 5 + fault.choice // 8 % 20
            elif fault.kind == COMPACT:
                self.broker.compact(COMPACTION_LAG)
            worker = self.workers[fault.choice % 2]
        self.broker.interrupted = False

    def _replace(self, worker: Worker, lost: Worker) -> None:
        """The process is gone: the other worker takes over, until the next rebalance."""
        if worker not in self.workers:
            return
        slot = self.workers.index(worker)
        other = self.workers[1 - slot]
        self.workers[slot] = self._new_worker()
        for name, number in lost.partitions:
            other.open(name, number)
        if lost.handled:
            other.finish_intake()
            other.take_sources({*other.handled, *lost.handled})
        self._rebalance_at = self.turns + 3

    def _rebalance(self) -> None:
        """Everything is closed in order, as far as no fault strikes meanwhile, and assigned anew."""
        for worker in self.workers:
            for partition in worker.partitions.values():
                partition.finish()
                self._cut_short(worker, partition)
            worker.partitions = {}
            worker.close_intake()
            self.broker.interrupted = False
        self._assign()

    def _cut_short(self, worker: Worker, partition: Partition) -> None:
        """A fault during the last checkpoint: it stays unfinished, or a zombie finishes it."""
        self.broker.interrupted = False
        due, self._due = self._due, []
        for fault in due:
            self.struck[fault.kind] += 1
            if fault.kind == ZOMBIE:
                partition.closed = True
                ghost = self._new_worker()
                ghost.partitions = {(partition.processor.name, partition.number): partition}
                self._sleepers.append(Sleeper(ghost, self.turns + 1 + fault.choice % 10, self.turns + 12))
            elif fault.kind == COMPACT:
                self.broker.compact(COMPACTION_LAG)

    def _assign(self) -> None:
        slots = [self._random.randrange(2) for _ in UNITS]
        for unit, slot in zip(UNITS, slots, strict=True):
            self.workers[slot].open(*unit)
        sources: list[set[str]] = [set(), set()]
        for source in SOURCES:
            sources[self._random.randrange(2)].add(source)
        for worker, mine in zip(self.workers, sources, strict=True):
            worker.take_sources(mine)

    def _new_worker(self) -> Worker:
        return Worker(self.broker, self._random, self.broken)

    # -- the end ----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """The owners finish; then the last zombies write what they still had."""
        self._await([])
        self._due = []
        self.broker.interrupted = False
        for worker in self.workers:
            worker.close_intake()
            worker.take_sources(set(worker.handled))
        self._read_on()
        for sleeper in self._sleepers:
            for partition in sleeper.worker.partitions.values():
                for _ in range(200):
                    partition.outgoing.deliver(10)
                    partition.write(10)
        self._read_on()
        if self.struck[COMPACT] and self._sleepers:
            for _ in range(COMPACTION_LAG + 1):
                self._read_on()
            self.broker.compact(COMPACTION_LAG)

    def _read_on(self) -> None:
        for name, number in UNITS:
            partition = self.owner(name, number)
            partition.handle(1 << 30)
            partition.finish()

    @property
    def has_sleepers(self) -> bool:
        """Whether zombies wrote after everyone else."""
        return bool(self._sleepers)

    def owner(self, name: str, number: int) -> Partition:
        """The present owner of a partition."""
        return next(worker.partitions[name, number] for worker in self.workers if (name, number) in worker.partitions)

"""A worker that runs the real processors by the engine's protocol, one write at a time.

What the engine waits for is a ``yield`` here: between any two of them the scheduler may do anything else, or end the worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from random import Random
from typing import Any

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings
from agents.keyed import KeyedProcessor
from agents.ports import Output
from models.durability.keyed import KeyedState
from models.progress.sources import InputSource
from stream_app.wire import canonical
from stream_app.wire.dead_letters import dead_letter
from stream_app.wire.decoder import decode
from stream_app.wire.keyed import CASES, CUSTOMERS
from tests.simulation.broker import Broker
from tests.simulation.plan import INPUTS, PARTITIONS

REORDERED = 0.15
"""Share of the unacknowledged outputs that overtake others, as retried requests may."""
SENT_TWICE = 0.03
LATE = 0.3
"""Share of the checkpoints that come so late that they stand for two."""


_acknowledged = attrgetter("acknowledged")


class Send:
    """An output on its way."""

    __slots__ = ("acknowledged", "output")

    def __init__(self, output: Output) -> None:
        self.output = output
        self.acknowledged = False


class Outgoing:
    """Unacknowledged outputs of one owner."""

    def __init__(self, broker: Broker, random: Random) -> None:
        self._broker = broker
        self._random = random
        self.sends: list[Send] = []

    def put(self, outputs: Iterable[Output]) -> list[Send]:
        sends = [Send(output) for output in outputs]
        self.sends += sends
        return sends

    def deliver(self, most: int) -> None:
        """Write some of them, mostly in order, now and then one twice."""
        random = self._random.random
        sends = self.sends
        for _ in range(min(most, len(sends))):
            chance = random()
            send = sends.pop(0 if chance > REORDERED else int(chance / REORDERED * len(sends)))
            output = send.output
            send.acknowledged = True
            self._broker.write(output.topic, output.key, output.value, output.partition)
            if random() < SENT_TWICE:
                self._broker.write(output.topic, output.key, output.value, output.partition)
            if self._broker.interrupted:
                return


def settled(sends: list[Send]) -> bool:
    """Whether all of them are acknowledged."""
    return all(map(_acknowledged, sends))


class Partition:
    """A partition's state between assignment and revocation, and the writing that is going on."""

    def __init__(self, processor: KeyedProcessor, number: int, broker: Broker, random: Random, broken: str) -> None:
        self.processor = processor
        self.number = number
        self.outgoing = Outgoing(broker, random)
        self.closed = False
        self._broker = broker
        self._broken = broken
        self._random = random
        self._log = broker.logs[processor.log, number]
        self._changelog = processor.changelog, number
        self._written = -1
        self._writing: Iterator[None] | None = None
        self.state: KeyedState[Any] = recovered(processor, number, broker, broken)

    @property
    def unread(self) -> bool:
        return self.state.offset < len(self._log)

    @property
    def busy(self) -> bool:
        """Whether anything is still to be written."""
        return self._writing is not None or bool(self.outgoing.sends)

    def handle(self, most: int) -> None:
        """Handle some records of the log."""
        begin = self.state.offset
        records = self._log[begin : begin + most]
        if records:
            self.outgoing.put(self.processor.handle(self.state, records))

    def write(self, steps: int) -> None:
        """Let the writing go on for so many steps."""
        for _ in range(steps):
            if self._writing is None:
                return
            if next(self._writing, self) is self:
                self._writing = None
            if self._broker.interrupted:
                return

    def begin(self, *, checkpoint: bool) -> None:
        """Begin to publish or to checkpoint, if nothing is going on."""
        if self._writing is None:
            self._writing = self._checkpoint() if checkpoint else self._publish()

    def finish(self) -> None:
        """Write everything, then one more checkpoint: an orderly revocation."""
        self._drain()
        self.begin(checkpoint=True)
        self._drain()

    def _drain(self) -> None:
        while self.busy and not self._broker.interrupted:
            self.outgoing.deliver(1 << 30)
            self.write(8)

    def _publish(self) -> Iterator[None]:
        outputs = self.processor.publish(self.state, whole=False)
        before = list(self.outgoing.sends)
        while not settled(before):
            yield
        self.outgoing.put(outputs)

    def _checkpoint(self) -> Iterator[None]:
        """``StatefulPartition._checkpoint`` of the engine."""
        broken = self._broken
        outputs = self.processor.publish(self.state)
        turns = 1 + (self._random.random() < LATE)
        cut = self.processor.checkpoint(self.state, turns)
        before = list(self.outgoing.sends)
        while not settled(before) and broken != "commit before acknowledgements":
            yield
        for _ in range(0 if self.closed else turns):
            self._broker.checkpointed(*self._changelog)
        if cut.offset == self._written and not cut.panes and not cut.rows:
            self.outgoing.put(outputs)
            return
        sends = self.outgoing.put(outputs)
        parts = [cut.panes, cut.rows]
        if broken == "panes after rows":
            parts.reverse()
        for records in parts:
            for key, value in records:
                self._broker.write(*self._changelog_record(key, value))
                yield
            while not settled(sends) and broken != "commit before acknowledgements":
                yield
            if broken == "snapshot after waiting" and records is cut.panes:
                yield from (None,) * 6
                later = self.processor.checkpoint(self.state)
                self.state.panes.unwritten.update(dict.fromkeys(_panes_of(self.state)))
                cut.rows.extend(later.rows)
                cut.marker, cut.offset = later.marker, later.offset
        if broken != "no marker":
            self._broker.write(*self._changelog_record(*cut.marker))
            yield
        self._written = cut.offset
        if not self.closed:
            self._broker.committed[self.processor.log, self.number] = cut.offset

    def _changelog_record(self, key: bytes, value: bytes | None) -> tuple[str, bytes, bytes | None, int]:
        topic, number = self._changelog
        return topic, key, value, number


def _panes_of(state: KeyedState[Any]) -> Iterator[Any]:
    for tier in (state.panes.fast, state.panes.slow):
        for cells in tier.values():
            yield from cells.values()
    yield from state.panes.base.values()


def recovered(processor: KeyedProcessor, number: int, broker: Broker, broken: str = "") -> KeyedState[Any]:
    """The state as the changelog has it, ready to go on with the log."""
    recovery = processor.recover(number)
    for record in broker.logs[processor.changelog, number]:
        recovery.absorb(record.key or b"", record.value)
    state = recovery.complete()
    if broken == "no marker":
        state.offset = broker.committed.get((processor.log, number), 0)
    state.offset = max(state.offset, 0)
    return state


class Worker:
    """One worker process: an Intake for its sources, and the partitions it owns."""

    def __init__(self, broker: Broker, random: Random, broken: str) -> None:
        self._broker = broker
        self._random = random
        self._broken = broken
        settings = IntakeSettings({name: InputSource(count, "declared") for name, count in INPUTS.items()}, PARTITIONS)
        self.intake = IntakeProcessor(settings, IntakeCodec(decode, canonical.encode, dead_letter))
        self.processors: dict[str, KeyedProcessor] = {
            "cases": CasesProcessor(PARTITIONS, CASES),
            "customers": CustomersProcessor(PARTITIONS, CUSTOMERS),
        }
        self.partitions: dict[tuple[str, int], Partition] = {}
        self.intake_outgoing = Outgoing(broker, random)
        self.handled: dict[str, int] = {}
        self.clock = 0
        self._ticking: Iterator[None] | None = None

    # -- assignment -------------------------------------------------------------------------------------

    def open(self, name: str, number: int) -> None:
        """Take a partition over: recover it."""
        self.partitions[name, number] = Partition(self.processors[name], number, self._broker, self._random, self._broken)

    def take_sources(self, sources: Iterable[str]) -> None:
        """Own these sources from now on, from their committed offsets."""
        self.handled = {source: self._broker.committed.get(_place(source), 0) for source in sorted(sources)}
        self.intake.assigned(set(self.handled))
        self._ticking = None

    def cut_off(self) -> None:
        """The group has moved on: commits of this worker are refused from now on."""
        for partition in self.partitions.values():
            partition.closed = True

    # -- Intake -----------------------------------------------------------------------------------------

    def read_inputs(self, most: int) -> None:
        for source in list(self.handled):
            log = self._broker.logs[_place(source)]
            begin = self.handled[source]
            records = log[begin : begin + self._random.randrange(most + 1)]
            if records:
                self.intake_outgoing.put(self.intake.handle(source, records))
                self.handled[source] = begin + len(records)
                if self._broken == "commit before acknowledgements":
                    self._broker.committed[_place(source)] = begin + len(records)

    def tick(self, steps: int, *, commits: bool) -> None:
        """Go on with telling the time."""
        for _ in range(steps):
            if self._ticking is None:
                self._ticking = self._tick(commits=commits)
            if next(self._ticking, self) is self:
                self._ticking = None

    def _tick(self, *, commits: bool) -> Iterator[None]:
        """``IntakeRunner._tick`` of the engine."""
        while self.intake_outgoing.sends and self._broken != "marks before acknowledgements":
            yield
        covered = dict(self.handled)
        self.clock += 1_000
        before = list(self.intake_outgoing.sends)
        marks = self.intake_outgoing.put(self.intake.marks(self.clock, {}, 0))
        if self._broken == "marks before acknowledgements":
            self.intake_outgoing.sends = marks + before
            self.intake_outgoing.deliver(len(marks))
        while not settled(marks + before):
            yield
        if commits:
            for source, offset in covered.items():
                if source in self.handled:
                    self._broker.committed[_place(source)] = offset

    def close_intake(self) -> None:
        """Read everything that is there, tell the time, commit: an orderly end of the assignment."""
        for source in self.handled:
            log = self._broker.logs[_place(source)]
            self.intake_outgoing.put(self.intake.handle(source, log[self.handled[source] :]))
            self.handled[source] = len(log)
        self.finish_intake()

    def finish_intake(self) -> None:
        """Everything handled is acknowledged, marked and committed, unless a fault strikes."""
        self._ticking = self._tick(commits=True)
        while self._ticking is not None and not self._broker.interrupted:
            self.intake_outgoing.deliver(1 << 30)
            self.tick(1, commits=True)

    @property
    def intake_busy(self) -> bool:
        return self._ticking is not None or bool(self.intake_outgoing.sends) or any(
            self.handled[source] < len(self._broker.logs[_place(source)]) for source in self.handled
        )


def _place(source: str) -> tuple[str, int]:
    topic, _, number = source.rpartition("-")
    return topic, int(number)

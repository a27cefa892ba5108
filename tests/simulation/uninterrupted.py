"""The same logs read once, by processors that nothing happens to; and the same inputs read in another order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import msgspec

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.keyed import KeyedProcessor
from agents.ports import Output
from models.durability.keyed import KeyedState
from models.events.canonical import Definitions
from stream_app.wire import canonical
from stream_app.wire.keyed import CASES, CUSTOMERS
from tests.simulation.broker import Broker, Stored
from tests.simulation.plan import INPUTS, PARTITIONS, Arrival, Plan
from tests.simulation.worker import Worker

PROCESSORS: Final[dict[str, Callable[[], KeyedProcessor]]] = {
    "cases": lambda: CasesProcessor(PARTITIONS, CASES),
    "customers": lambda: CustomersProcessor(PARTITIONS, CUSTOMERS),
}


@dataclass(slots=True)
class Told:
    """State after a whole log, and everything said on the way, by topic."""

    state: KeyedState[Any]
    said: dict[str, set[tuple[bytes | None, bytes | None]]] = field(default_factory=lambda: defaultdict(set))

    def hear(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self.said[output.topic].add((output.key, output.value))


def read_once(name: str, number: int, log: Sequence[Stored]) -> Told:
    """One partition, from its first record to its last, in one batch."""
    processor = PROCESSORS[name]()
    told = Told(processor.new_state(number))
    told.hear(processor.handle(told.state, log))
    told.hear(processor.publish(told.state))
    return told


@dataclass(slots=True)
class Truth:
    """The facts that follow from the inputs of a plan when nothing happens, and how many records were too late for any."""

    facts: dict[str, dict[Any, dict[str, int]]]
    too_late: int


def truth(plan: Plan) -> Truth:
    """Everything in the order of sending, as if nothing ever took any time."""
    broker = Broker()
    _publish_definitions(broker, plan)
    states = _handled(_lone_worker(broker), broker, plan)
    return Truth(
        {name: merged_facts(states[name, number] for number in range(PARTITIONS)) for name in PROCESSORS},
        sum(state.counters.get("too_late", 0) for state in states.values()),
    )


def _publish_definitions(broker: Broker, plan: Plan) -> None:
    value = canonical.encode(Definitions(1, dict(plan.definitions[0])))
    for log in ("events", "customer-log"):
        for number in range(PARTITIONS):
            broker.write(log, None, value, number)


def _lone_worker(broker: Broker) -> Worker:
    worker = Worker(broker, Random(0), "")
    worker.take_sources(f"{name}-{number}" for name, count in INPUTS.items() for number in range(count))
    return worker


def _handled(worker: Worker, broker: Broker, plan: Plan) -> dict[tuple[str, int], KeyedState[Any]]:
    def send(outputs: Iterable[Output]) -> None:
        for output in outputs:
            broker.write(output.topic, output.key, output.value, output.partition)

    for count, arrival in enumerate(sorted(plan.arrivals, key=_sent_at)):
        send(worker.intake.handle(arrival.source, [Stored(count, None, arrival.value, 0)]))
        if arrival.progress:
            send(worker.intake.marks(count * 1_000, {}, 0))
    states: dict[tuple[str, int], KeyedState[Any]] = {}
    for name, processor in worker.processors.items():
        for number in range(PARTITIONS):
            state = states[name, number] = processor.new_state(number)
            send(processor.handle(state, broker.logs[processor.log, number]))
            send(processor.publish(state))
    return states


def events_sent(plan: Plan) -> set[tuple[str, str]]:
    """(case_id, event_id) of every event among the inputs."""
    return {(event.case_id, event.event_id) for event in (_identity.decode(arrival.value) for arrival in plan.arrivals if not arrival.progress)}


def events_of(broker: Broker) -> set[tuple[str, str]]:
    """(case_id, event_id) of every event of the canonical log."""
    found = set()
    for number in range(PARTITIONS):
        for value in {record.value for record in broker.logs["events", number] if record.key is not None}:
            event = _identity.decode(value or b"")
            found.add((event.case_id, event.event_id))
    return found


class _Identity(msgspec.Struct):
    case_id: str
    event_id: str


_identity = msgspec.json.Decoder(_Identity)


def merged_facts(states: Iterable[KeyedState[Any]]) -> dict[Any, dict[str, int]]:
    """Slow panes and base of several partitions, merged."""
    merged: dict[Any, dict[str, int]] = {}
    for state in states:
        panes = state.panes
        tiers = [pane for cells in panes.slow.values() for pane in cells.values()] + list(panes.base.values())
        for pane in tiers:
            into = merged.setdefault(pane.id, {})
            for key, weight in pane.facts.items():
                into[key] = into.get(key, 0) + weight
    return {where: kept for where, facts in merged.items() if (kept := {key: weight for key, weight in facts.items() if weight})}


def _sent_at(arrival: Arrival) -> int:
    return arrival.at

"""Whether a run says and holds exactly what the uninterrupted one does. Every difference is one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from models.cases.logic import CasesLogic
from models.durability.keyed import KeyedState
from stream_app.wire import changelog, outputs
from stream_app.wire.keyed import CASES
from tests.simulation.breaches import false_breaches
from tests.simulation.broker import Broker
from tests.simulation.plan import PARTITIONS, Plan
from tests.simulation.uninterrupted import PROCESSORS, Told, Truth, events_of, events_sent, merged_facts, read_once, truth
from tests.simulation.worker import recovered
from tests.simulation.world import World

SAID_BY: Final = {"cases": ("case-events", "sla-events", "customer-log"), "customers": ()}
_ENCODE: Final = {"cases": changelog.encode_case, "customers": changelog.encode_customer}
_decode = msgspec.json.decode

Said = set[tuple[bytes | None, bytes | None]]


def differences(world: World) -> Iterator[str]:
    """Everything in which the run differs; empty for an exact one."""
    broker = world.broker
    told: dict[tuple[str, int], Told] = {}
    for name, make in PROCESSORS.items():
        processor = make()
        for number in range(PARTITIONS):
            mine = told[name, number] = read_once(name, number, broker.logs[processor.log, number])
            where = f"{name}-{number}"
            yield from _of_states(where, name, world.owner(name, number).state, mine.state)
            yield from _recovered_differs(world, name, number, mine)
            yield from _of_panes(where, broker, name, number, mine)
    yield from _of_outputs(broker, told)
    yield from _of_truth(world.plan, broker, told)


def _recovered_differs(world: World, name: str, number: int, told: Told) -> Iterator[str]:
    """A worker that recovers now and reads the rest has the same state."""
    with world.protocol():
        processor = PROCESSORS[name]()
        state = recovered(processor, number, world.broker, world.broken)
        processor.handle(state, world.broker.logs[processor.log, number][state.offset :])
    yield from _of_states(f"{name}-{number} recovered", name, state, told.state)


# -- state --------------------------------------------------------------------------------------------


def _of_states(where: str, name: str, state: KeyedState[Any], expected: KeyedState[Any]) -> Iterator[str]:
    for what, left, wanted in (
        ("offset", state.offset, expected.offset),
        ("sources", state.progress.sources, expected.progress.sources),
        ("watermark", state.progress.watermark, expected.progress.watermark),
        ("definitions", state.definitions.version, expected.definitions.version),
        ("dimensions", state.dimensions.seen, expected.dimensions.seen),
    ):
        if left != wanted:
            yield f"{where}: {what} is {left}, not {wanted}"
    yield from _of_mappings(f"{where}: pane", _panes(state), _panes(expected))
    yield from _of_rows(where, name, state, expected)
    if isinstance(state.logic, CasesLogic) and isinstance(expected.logic, CasesLogic):
        levels, right = state.logic.levels, expected.logic.levels
        yield from _of_mappings(f"{where}: level", dict(levels.cells()), dict(right.cells()))
        if (shown := levels.next_to_breach()) != (due := right.next_to_breach()):
            yield f"{where}: next to breach is {shown}, not {due}"


def _panes(state: KeyedState[Any]) -> dict[Any, dict[str, int]]:
    panes = state.panes
    found = {pane.id: pane.facts for tier in (panes.fast, panes.slow) for cells in tier.values() for pane in cells.values() if pane.facts}
    found.update({pane.id: pane.facts for pane in panes.base.values() if pane.facts})
    return found


def _of_rows(where: str, name: str, state: KeyedState[Any], expected: KeyedState[Any]) -> Iterator[str]:
    encode: Any = _ENCODE[name]
    rows, right = state.rows, expected.rows
    if set(rows) != set(right):
        yield f"{where}: rows {sorted(set(rows) ^ set(right))} are in one of the two only"
    for key in set(rows) & set(right):
        if encode(rows[key]) != encode(right[key]):
            yield from _of_mappings(f"{where}: row {key}", _slots(rows[key]), _slots(right[key]))


def _slots(row: Any) -> dict[str, Any]:
    names = (name for name in dir(row) if not name.startswith("_") and name not in {"fold", "booked"})
    return {name: value for name in names if not callable(value := getattr(row, name))}


def _of_mappings(where: str, left: Mapping[Any, Any], right: Mapping[Any, Any]) -> Iterator[str]:
    if left == right:
        return
    for key in [*left, *(key for key in right if key not in left)]:
        if left.get(key) != right.get(key):
            yield f"{where} {key} is {left.get(key)}, not {right.get(key)}"


# -- what was written -----------------------------------------------------------------------------------


def _of_panes(where: str, broker: Broker, name: str, number: int, told: Told) -> Iterator[str]:
    """By the greatest fence of each key, the panes topic holds what the uninterrupted run would publish last."""
    published = newest(broker, name, number)
    state = told.state
    expected: dict[bytes, bytes | None] = {}
    for tier in (state.panes.fast, state.panes.slow):
        for cells in tier.values():
            for pane in cells.values():
                output = CASES.published_pane(name, number, pane)
                expected[output.key or b""] = output.value
    for key, value in expected.items():
        found = published.pop(key, None)
        if found != value and (found is None or _decode(found) != _decode(value or b"")):
            yield f"{where}: published pane {key!r} is {found!r}, not {value!r}"
    for key, value in published.items():
        if b'"deleted"' not in value and not _behind(key, state):
            yield f"{where}: published pane {key!r} is {value!r}, not deleted"


def _behind(key: bytes, state: KeyedState[Any]) -> bool:
    """Whether a slice has left its tier, so that no reader looks at it any more."""
    _, _, _, tier, start, _ = _decode(key)
    return bool(start < (state.panes.fast_limit if tier == "fast" else state.panes.slow_limit)) and tier == "fast"


def newest(broker: Broker, name: str, number: int) -> dict[bytes, bytes]:
    """The panes of one partition as a reader of the panes topic holds them."""
    mine = outputs.pane_key(name, number, "", 0, ("", "", "", ""))[: len(f'["p","{name}",{number},')]
    best: dict[bytes, tuple[int, int]] = {}
    values: dict[bytes, bytes] = {}
    for record in broker.logs["panes", 0]:
        key, value = record.key or b"", record.value or b""
        if not key.startswith(mine) or not value:
            continue
        fence = _fence(value)
        if key not in best or fence > best[key]:
            best[key], values[key] = fence, value
    return values


def _fence(value: bytes) -> tuple[int, int]:
    epoch, _, offset = value[value.index(b"[") + 1 : value.index(b"]")].partition(b",")
    return int(epoch), int(offset)


def _of_outputs(broker: Broker, told: dict[tuple[str, int], Told]) -> Iterator[str]:
    """Every output of the uninterrupted run was sent, and nothing else."""
    for name, topics in SAID_BY.items():
        for topic in topics:
            expected: Said = set()
            for number in range(PARTITIONS):
                expected |= {one for one in told[name, number].said[topic] if one[0] is not None}
            sent: Said = {(record.key, record.value) for number in range(PARTITIONS) for record in broker.logs[topic, number] if record.key is not None}
            yield from (f"{topic}: missing {one}" for one in expected - sent)
            yield from (f"{topic}: too much {one}" for one in sent - expected)


# -- truth --------------------------------------------------------------------------------------------------


def _of_truth(plan: Plan, broker: Broker, told: dict[tuple[str, int], Told]) -> Iterator[str]:
    """Against a run of the same inputs in another order: the same events; no breach that is none; the same facts."""
    sent = events_sent(plan)
    if (found := events_of(broker)) != sent:
        yield f"events: missing {sent - found}, too many {found - sent}"
    if not plan.comparable_with_truth:
        return
    expected = truth(plan)
    yield from (f"false breach {breach!r}" for breach in false_breaches(broker, plan.definitions[0]))
    yield from _of_facts(expected, told)


def _of_facts(expected: Truth, told: dict[tuple[str, int], Told]) -> Iterator[str]:
    states = [one.state for one in told.values()]
    if expected.too_late or any(state.counters.get("too_late") for state in states):
        return
    for name in PROCESSORS:
        facts = merged_facts(told[name, number].state for number in range(PARTITIONS))
        yield from _of_mappings(f"facts of {name}", facts, expected.facts[name])

"""The shortest schedule that still fails: faults and records are left out as long as it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from tests.simulation.plan import Plan

Fails = Callable[[Plan], bool]
Part = frozenset[int]


def shortest(plan: Plan, fails: Fails, seconds: float = 20.0) -> Plan:
    """The least plan found within the time; ``plan`` itself must fail."""
    until = monotonic() + seconds
    found = True
    while found and monotonic() < until:
        found = False
        for smaller in _smaller(plan):
            if monotonic() > until:
                break
            if fails(smaller):
                plan, found = smaller, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Without one fault; then without a stretch of records, long ones first."""
    for number in range(len(plan.faults)):
        yield plan.without(faults=frozenset({number}))
    length = len(plan.arrivals) // 2
    while length:
        for begin in range(0, len(plan.arrivals), length):
            yield plan.without(arrivals=frozenset(range(begin, min(begin + length, len(plan.arrivals)))))
        length //= 2


def story(plan: Plan) -> str:
    """The plan for a reader: its faults, then its records by source in the order of sending."""
    lines = [f"seed {plan.seed}: {len(plan.faults)} faults, {plan.records} records{', some late' if plan.late else ''}"]
    lines += [f"  {fault.kind} at {fault.counted} {fault.at} (choice {fault.choice})" for fault in plan.faults]
    lines += [f"  {arrival.source}: {arrival.value.decode()}" for arrival in sorted(plan.arrivals, key=lambda arrival: arrival.at)]
    return "\n".join(lines)

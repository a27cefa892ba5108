"""The simulation notices each way in which the protocol could be wrong."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.plan import plan_of
from tests.simulation.seeds import fails
from tests.simulation.shrinking import shortest, story

WITHIN = 300
"""Seeds within which each must be noticed; most are in the first ten, the rarest in one of sixty."""


@pytest.mark.replaces
@pytest.mark.timeout(120)
@pytest.mark.parametrize("broken", MUTATIONS)
def test_a_fault_in_the_protocol_is_noticed(broken: str) -> None:
    assert any(fails(plan_of(seed), broken) for seed in range(WITHIN))


@pytest.mark.replaces
def test_a_failing_schedule_is_made_shorter() -> None:
    plan = next(plan for plan in map(plan_of, range(WITHIN)) if fails(plan, "panes after rows"))

    smallest = shortest(plan, lambda smaller: fails(smaller, "panes after rows"), seconds=10)

    assert fails(smallest, "panes after rows")
    assert len(smallest.faults) < len(plan.faults) or smallest.records < plan.records / 2
    assert f"{len(smallest.faults)} faults, {smallest.records} records" in story(smallest)

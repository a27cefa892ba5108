"""Under any schedule of faults the state and everything said are those of the uninterrupted run of the same log.

How many seeds: the environment variable ``DESKPULSE_SEEDS``; 10,000 in CI, else 2,000. ``DESKPULSE_FIRST_SEED`` moves the stretch.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.simulation.plan import LEAST_RECORDS, plan_of
from tests.simulation.seeds import fails, run, run_all
from tests.simulation.shrinking import shortest, story

COUNT = int(os.environ.get("DESKPULSE_SEEDS", "10000" if os.environ.get("CI") == "true" else "2000"))
FIRST = int(os.environ.get("DESKPULSE_FIRST_SEED", "0"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_schedule_of_faults_changes_anything(capsys: pytest.CaptureFixture[str]) -> None:
    tally = run_all(COUNT, FIRST)
    with capsys.disabled():
        sys.stdout.write(f"\n{tally.report()}\n")
    if tally.failed:
        seed, found = min(tally.failed.items())
        plan = shortest(plan_of(seed), fails)
        pytest.fail("\n".join([f"failing seeds: {sorted(tally.failed)[:20]}", *found, "the shortest schedule that fails:", story(plan), *run(plan)[1]]))
    assert min(tally.records) >= LEAST_RECORDS
    assert min(tally.faults) >= 2


def test_a_seed_always_runs_alike() -> None:
    first, again = (run(plan_of(5))[0] for _ in range(2))

    assert first.broker.logs == again.broker.logs
    assert first.struck == again.struck

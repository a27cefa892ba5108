"""Real faults as tests: all of them with ``-m faults``, one of each kind with ``-m "faults and ci"``. Each fault once; `make faults` does more."""

from __future__ import annotations

import asyncio
import sys

import pytest

from stream_app.brokers import BrokerUnavailableError
from tests.faults.cases import CASES
from tests.faults.run import NOT_RUN, play
from tests.faults.scene import Case
from tests.faults.stage import Stages
from tests.faults.table import line
from tests.support.requirements import missing

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name, marks=[pytest.mark.ci] if case.quick else []) for case in CASES.values()]
)
def test_figures_are_exact_after(case: Case) -> None:
    stages = Stages()
    try:
        outcome = asyncio.run(play(case, stages, quick=True))
    except BrokerUnavailableError as error:
        missing(str(error))
    finally:
        stages.close()
    sys.stdout.write("\n" + line(outcome) + "\n")
    if outcome.note.startswith(NOT_RUN):
        pytest.skip(outcome.note)
    assert outcome.problems == []
    assert outcome.ok


def test_every_kind_of_fault_has_one_case_in_continuous_integration_or_needs_more_than_it_has() -> None:
    quick = {case.kind for case in CASES.values() if case.quick}
    assert {case.kind for case in CASES.values()} - quick == {"kill", "compaction", "cluster", "disk", "slow"}

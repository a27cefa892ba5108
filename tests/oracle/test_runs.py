"""Both real data sets and simulated traffic of every event type, through real Kafka and workers: every published KPI is the truth.

The runs between them cover each order of the topics, one and three workers, and five SIGKILLs on the way.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stream_app.brokers import BrokerUnavailableError
from tests.oracle.__main__ import show
from tests.oracle.harness import Plan, Result, run
from tests.oracle.kpi_names import FORMULAS
from tests.oracle.mutations import all_mutants, survivors
from tests.support.requirements import missing

pytestmark = [pytest.mark.oracle, pytest.mark.kafka, pytest.mark.slow]

RESULTS: dict[str, Result] = {}
FEWER = 60_000
"""Events of the runs that show that order, workers and kills change nothing."""


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs in plain order leave their panes."""
    return tmp_path_factory.mktemp("captures")


def shown(plan: Plan) -> Result:
    """Run and print the table; it is what a person wants to see of this."""
    try:
        result = run(plan, lambda _: None)
    except BrokerUnavailableError as error:
        missing(str(error))
        raise
    sys.stdout.write("\n")
    show(result)
    return result


@pytest.mark.parametrize("data", ["simulated", "uci498", "boston311"])
def test_every_published_kpi_equals_the_truth(data: str, captures: Path) -> None:
    result = RESULTS[data] = shown(Plan(data=data, capture=captures / data))
    assert result.ok


@pytest.mark.parametrize(
    "plan",
    [
        Plan(data="simulated", events=FEWER, workers=3, kills=5),
        Plan(data="simulated", events=FEWER, workers=3, order="shuffled"),
        Plan(data="simulated", events=FEWER, order="resolutions_first", kills=5),
        Plan(data="uci498", workers=3, order="resolutions_first"),
    ],
    ids=lambda plan: f"{plan.data}-{plan.workers}-{plan.order}-{plan.kills}",
)
def test_order_workers_and_kills_change_nothing(plan: Plan) -> None:
    result = shown(plan)
    assert result.kills == plan.kills
    assert result.ok


@pytest.mark.parametrize("kpi", FORMULAS)
def test_every_kpi_is_above_zero_in_one_of_the_data_sets(kpi: str) -> None:
    if len(RESULTS) < 3:
        pytest.skip("needs the three whole runs")
    assert any(kpi in result.shown_kpis for result in RESULTS.values())


def test_every_changed_formula_is_noticed(captures: Path) -> None:
    recorded = sorted(captures.iterdir())
    if len(recorded) < 3:
        pytest.skip("needs the three whole runs")
    left, wrong = survivors(recorded)
    assert wrong == {}
    assert [f"{kpi.id}: {kpi.formula}" for kpi in left] == []
    assert len(all_mutants()) > 200

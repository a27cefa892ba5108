"""What the dashboards show: the whole catalogue, under its own words, and speed never alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.catalogue.entry import Kpi
from models.catalogue.registry import BY_ID, CATALOGUE
from stream_app.cli import main
from stream_app.dashboards.content import Dashboard, Goal, Panel
from stream_app.dashboards.files import file_texts
from stream_app.dashboards.plan import BESIDE_SPEED, dashboards
from stream_app.metrics.kpi_collector import metric_name
from stream_app.metrics.pipeline_metrics import PIPELINE_METRICS

ROOT = Path(__file__).parents[2]
FILES = ROOT / "grafana" / "dashboards"
PAGE = ROOT / "docs" / "reference" / "dashboards.md"
SPEED = ("speed_of_answer", "handle_time", "first_reply", "first_resolution")


def shows(panel: Panel, kpi: Kpi) -> bool:
    """The panel has a query of exactly this KPI, and its definition."""
    labels = [f'{name}="{value}"' for name, value in kpi.labels]
    queries = [query.expression for query in panel.queries if f"({metric_name(kpi)}{{" in query.expression]
    return any(all(label in query for label in labels) for query in queries) and kpi.formula.describe() in panel.description


def kpis_of(dashboard: Dashboard) -> set[str]:
    return {kpi.id for kpi in CATALOGUE for panel in dashboard.panels() if shows(panel, kpi)}


def test_every_kpi_of_the_catalogue_is_on_some_dashboard() -> None:
    shown = set().union(*map(kpis_of, dashboards()))
    assert BY_ID.keys() - shown == set()


def test_every_metric_of_the_pipeline_is_on_its_dashboard() -> None:
    queries = [query.expression for panel in dashboards()[-1].panels() for query in panel.queries]
    assert [metric.name for metric in PIPELINE_METRICS if not any(metric.name in query for query in queries)] == []


@pytest.mark.parametrize(("family", "dashboard"), [("queue", "queue"), ("loyalty", "overview")])
def test_a_kpi_that_is_added_to_the_catalogue_appears_without_a_second_place(family: str, dashboard: str) -> None:
    added = replace(BY_ID["offered"], id="churned", family=family, metric="churned_customers", meaning="Customers who left")
    found = {shown.name: [panel.title for panel in shown.panels()] for shown in dashboards(catalogue=(*CATALOGUE, added))}
    assert [name for name, titles in found.items() if "Churned · $window" in titles] == [dashboard]


def test_windows_that_no_variable_offers_are_refused_with_the_remedy() -> None:
    added = replace(BY_ID["offered"], id="churned", windows=("60m", "day"))
    with pytest.raises(ValueError, match=r"windows of churned \(60m\): add a choice to WINDOW_CHOICES"):
        dashboards(catalogue=(*CATALOGUE, added))


def test_a_dashboard_with_speed_has_quality_and_who_still_waits_beside_it() -> None:
    fast = {dashboard.name: kpis_of(dashboard) for dashboard in dashboards() if any(name.startswith(SPEED) for name in kpis_of(dashboard))}
    assert fast.keys() == {"overview", "queue", "sla"}
    assert all(shown.issuperset(BESIDE_SPEED) for shown in fast.values())


def test_every_dashboard_says_first_whether_its_numbers_can_be_trusted() -> None:
    for dashboard in dashboards():
        first = dashboard.rows[0]
        assert [panel.title for panel in first.panels][:3] == ["Traffic", "Complete up to", "Furthest behind"]
        assert ("1", "SIMULATED", "orange") in first.panels[0].texts


def test_a_share_of_answers_stands_between_its_bounds() -> None:
    surveys = next(dashboard for dashboard in dashboards() if dashboard.name == "surveys")
    csat = next(panel for panel in surveys.panels() if panel.title.startswith("CSAT"))
    assert ["csat_interval_ratio" in query.expression for query in csat.queries] == [False, True, True]
    assert csat.unit == "percentunit"


def test_thresholds_come_from_goals_only() -> None:
    def goals_of(found: tuple[Dashboard, ...]) -> dict[str, Goal]:
        queries = [query for dashboard in found for panel in dashboard.panels() for query in panel.queries]
        return {query.expression.partition("{")[0]: query.goal for query in queries if query.goal}

    assert goals_of(dashboards()) == {}
    drawn = goals_of(dashboards({"service_level": 0.8, "first_reply_p90": 1800}))
    assert list(drawn.values()) == [Goal(value=0.8, better="higher"), Goal(value=1800, better="lower")]


def test_a_goal_of_no_kpi_is_refused() -> None:
    with pytest.raises(ValueError, match=r"board\.goals: no KPI is called happiness; `deskpulse kpis` lists them"):
        dashboards({"happiness": 1.0})


def test_committed_dashboards_are_what_the_generator_gives() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in FILES.iterdir()}
    assert committed == file_texts(dashboards()), "run: deskpulse dashboards write grafana/dashboards"


def test_the_reference_page_is_in_step() -> None:
    result = CliRunner().invoke(main, ["dashboards", "reference"])
    assert result.exit_code == 0, result.output
    assert PAGE.read_text(encoding="utf-8") == result.output, "run: deskpulse dashboards reference > docs/reference/dashboards.md"


def test_the_command_writes_every_dashboard_with_the_configured_goals(tmp_path: Path) -> None:
    configuration = tmp_path / "deskpulse.toml"
    configuration.write_text("[board.goals]\nservice_level = 0.8\n")
    result = CliRunner().invoke(main, ["--config", str(configuration), "dashboards", "write", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "out").iterdir()} == file_texts(dashboards({"service_level": 0.8}))


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    result = CliRunner().invoke(main, ["dashboards", "write", str(tmp_path / "taken" / "out")])
    assert (result.exit_code, "can not be written: Not a directory" in result.output) == (1, True)

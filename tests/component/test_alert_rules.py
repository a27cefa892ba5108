"""The alerting rules and example configurations: accepted, tested, documented, and about metrics that a worker really has."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Sample

from models.catalogue.entry import Kpi
from models.catalogue.registry import CATALOGUE
from models.catalogue.values import KpiValue
from models.panes.windows import LIVE, NOW
from models.rollup.settings import DEFAULT_GROUPING_SETS
from stream_app.app import create_app
from stream_app.metrics.kpi_collector import KpiCollector
from stream_app.metrics.pipeline_collector import PipelineCollector
from stream_app.settings import parse_settings
from tests.component.test_metrics_collectors import OneWorker
from tests.support.alert_rules import FOLDER, RULE_FILES, TEST_FILES, alerts, constant, load, milliseconds, rules, shortened
from tests.support.requirements import program

RUNBOOK = FOLDER.parent / "docs/how-to/runbook.md"
ALERTS = alerts()
KPI_ALERTS = {name for name, rule in ALERTS.items() if rule["labels"]["concern"] == "kpi"}
ALERTMANAGER = load(FOLDER / "alertmanager.yml")
FIRST_SCRAPE = 15_000


class EveryValue:
    """A Rollup with every KPI in every window and grouping that it is published in by default."""

    def current(self) -> Iterable[tuple[Kpi, str, dict[str, str], KpiValue]]:
        for kpi in CATALOGUE:
            for window in {*LIVE, NOW}.intersection(kpi.windows):
                for names in DEFAULT_GROUPING_SETS:
                    yield kpi, window, dict.fromkeys(names, "one"), KpiValue(1)


def exposition() -> list[Sample]:
    """Samples of a worker: of a real one that has not begun, of one with work, and of an active Rollup."""
    registries = [create_app(parse_settings(""), {"contacts": 1, "resolutions": 1, "surveys": 1}).registry, CollectorRegistry()]
    registries[1].register(PipelineCollector(OneWorker()))
    registries[1].register(KpiCollector(EveryValue()))
    return [sample for registry in registries for family in registry.collect() for sample in family.samples]


SAMPLES = exposition()
SELECTOR = re.compile(r"(?<![\w:])((?:deskpulse|process)_\w+)(?:\{([^}]*)\})?")


def selected(expression: str) -> dict[str, list[Sample]]:
    """The samples that each selector of an expression finds; what is not a worker's own (``up``, recorded) is left out."""
    found = {}
    for selector in SELECTOR.finditer(expression):
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', selector[2] or ""))
        wanted.pop("job", None)
        found[selector[0]] = [one for one in SAMPLES if one.name == selector[1] and wanted.items() <= one.labels.items()]
    return found


def run(*command: str) -> None:
    done = subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
def test_promtool_accepts_every_rule() -> None:
    run("promtool", "check", "rules", *map(str, RULE_FILES))


@pytest.mark.prometheus
def test_every_alert_fires_when_it_should_and_not_otherwise() -> None:
    run("promtool", "test", "rules", *map(str, TEST_FILES))


@pytest.mark.prometheus
def test_the_example_for_prometheus_is_accepted_with_the_rules_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "rules").symlink_to(FOLDER / "rules")
    (tmp_path / "token").write_text("made for this test\n")
    text = (FOLDER / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/tokens/metrics", str(tmp_path / "token")))
    run("promtool", "check", "config", str(tmp_path / "prometheus.yml"))


@pytest.mark.prometheus
def test_the_example_for_alertmanager_is_accepted() -> None:
    run("amtool", "check-config", str(FOLDER / "alertmanager.yml"))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_every_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["labels"]["concern"] in {"kpi", "pipeline"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert FOLDER.parent / page == RUNBOOK
    assert anchor == alert["alert"].lower()
    assert f"\n## {alert['alert']}\n" in RUNBOOK.read_text()


def test_the_runbook_has_no_alert_that_is_gone() -> None:
    assert set(re.findall(r"^## (Deskpulse\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)) == ALERTS.keys()


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_rule_test_in_which_it_fires_and_one_in_which_it_does_not(alert: str) -> None:
    tests = [test for file in TEST_FILES for test in load(file)["tests"] if test["name"].partition(",")[0] == alert]
    expected = [str(step["exp_samples"]) for test in tests for step in test["promql_expr_test"]]
    assert any(alert in samples for samples in expected)
    assert any(alert not in samples for samples in expected)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_metric_and_label_in_the_rules_is_one_that_a_worker_shows(rule: dict[str, Any]) -> None:
    found = selected(rule["expr"])
    assert not [selector for selector, samples in found.items() if not samples]
    labels = {label for samples in found.values() for sample in samples for label in sample.labels}
    if found:
        grouped = re.findall(r"\b(?:max|sum) by \(([\w, ]+)\)", rule["expr"])
        assert {label for names in grouped for label in names.split(", ")} <= labels


def test_every_recorded_series_that_a_rule_reads_is_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    read = {name for rule in rules() for name in re.findall(r"\bdeskpulse:[\w:]+", rule["expr"])}
    assert read <= recorded
    assert recorded <= read


def test_every_objective_is_one_that_the_fast_burn_can_reach_and_has_a_least_number_of_verdicts() -> None:
    objectives = constant("deskpulse:sla_objective:ratio")
    assert objectives.keys() == {dict(kpi.labels)["metric"] for kpi in CATALOGUE if kpi.metric == "sla_attainment_ratio"}
    assert all(1 / (1 - objective) > 2.5 for objective in objectives.values())
    assert constant("deskpulse:sla_verdicts_minimum:cases").keys() == objectives.keys()


def test_what_holds_alerts_on_kpis_back_fires_before_missing_kpis_would_end_them() -> None:
    """Without that, a pipeline that stops would send an all-clear for every breach."""
    [names] = [rule["source_matchers"][0] for rule in ALERTMANAGER["inhibit_rules"] if rule["target_matchers"] == ["concern = kpi"]]
    holding_back = set(re.findall(r"Deskpulse\w+", names))
    assert holding_back <= ALERTS.keys()
    late = constant("deskpulse:late_threshold:seconds")[""] * 1000
    slowest = max(milliseconds(ALERTS[name]["for"]) + late * ("late_threshold" in ALERTS[name]["expr"]) for name in holding_back)
    assert all(milliseconds(ALERTS[name]["keep_firing_for"]) > slowest + FIRST_SCRAPE for name in KPI_ALERTS)


def test_a_shortened_rule_lasts_a_sixtieth_and_is_otherwise_the_same() -> None:
    rule = {"expr": 'x{window="60m"}[20m:5m] offset 1d > 120', "for": "2m", "labels": {"over": "4h"}}
    assert shortened({"rules": [rule]}) == {
        "rules": [{"expr": 'x{window="60m"}[20000ms:5000ms] offset 1440000ms > 120', "for": "2000ms", "labels": {"over": "4h"}}]
    }

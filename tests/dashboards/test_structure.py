"""The JSON itself: what Grafana needs is there, nothing lies on anything else, no variable is unknown."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from stream_app.dashboards.grafana import dashboard_json
from stream_app.dashboards.plan import dashboards
from stream_app.dashboards.variables import DATASOURCE_UID

GRAFANA = Path(__file__).parents[2] / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
BUILT_IN = {"__rate_interval", "__all"}
Json = dict[str, Any]

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def panels_of(dashboard: Json, *, rows: bool = False) -> list[Json]:
    return [panel for panel in dashboard["panels"] if rows or panel["type"] != "row"]


@every_file
def test_a_dashboard_has_what_grafana_needs(file: Path) -> None:
    dashboard = json.loads(file.read_text())
    assert dashboard["uid"] == f"deskpulse-{file.stem}"
    assert dashboard["schemaVersion"] == 42
    assert dashboard["refresh"] in dashboard["timepicker"]["refresh_intervals"]
    assert "id" not in dashboard, "an id belongs to one installation"
    assert dashboard["title"]
    assert dashboard["tags"] == dashboard["links"][0]["tags"] == ["deskpulse"]


@every_file
def test_a_panel_has_what_grafana_needs(file: Path) -> None:
    for panel in panels_of(json.loads(file.read_text())):
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["expr"]
            assert target["datasource"] == panel["datasource"]
            assert target["instant"] is not target["range"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


@every_file
def test_no_value_is_not_available_and_never_zero(file: Path) -> None:
    for panel in panels_of(json.loads(file.read_text())):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["noValue"] == "n/a"
        assert defaults["mappings"][0]["options"]["match"] == "null+nan"
        if panel["type"] == "timeseries":
            assert defaults["custom"]["spanNulls"] is False
        else:
            assert all(target["instant"] for target in panel["targets"]), "a value of the past must not look present"
        assert not [target for target in panel["targets"] if " or " in target["expr"]], "no query fills a gap"


@every_file
def test_ids_are_unique_and_no_panel_lies_on_another(file: Path) -> None:
    panels = panels_of(json.loads(file.read_text()), rows=True)
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    overlapping = [(one["title"], other["title"]) for one, other in combinations(panels, 2) if overlap(one["gridPos"], other["gridPos"])]
    assert overlapping == []


def overlap(one: Json, other: Json) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not beside and not above


def test_panels_that_lie_on_each_other_are_noticed() -> None:
    place = {"x": 0, "y": 0, "w": 8, "h": 8}
    assert overlap(place, {"x": 7, "y": 7, "w": 8, "h": 8})
    assert not overlap(place, {"x": 8, "y": 0, "w": 8, "h": 8})
    assert not overlap(place, {"x": 0, "y": 8, "w": 8, "h": 8})


@every_file
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(file: Path) -> None:
    dashboard = json.loads(file.read_text())
    defined = [variable["name"] for variable in dashboard["templating"]["list"]]
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([dashboard["panels"], dashboard["templating"]]))) - BUILT_IN
    assert used == set(defined)
    assert len(set(defined)) == len(defined)


@every_file
def test_a_variable_is_one_of_its_own_choices(file: Path) -> None:
    for variable in json.loads(file.read_text())["templating"]["list"]:
        if variable["type"] == "custom":
            assert variable["current"]["value"] in variable["query"].split(",")
            assert [option["value"] for option in variable["options"] if option["selected"]] == [variable["current"]["value"]]
        if variable["current"]["value"] == "$__all":
            assert (variable["includeAll"], variable["allValue"]) == (True, ".*")


def test_uids_are_unique() -> None:
    uids = [json.loads(file.read_text())["uid"] for file in FILES]
    assert len(set(uids)) == len(uids) == 5


def test_goals_are_thresholds_on_the_side_that_is_better() -> None:
    found = [dashboard_json(dashboard) for dashboard in dashboards({"service_level": 0.8, "first_reply_p90": 1800})]
    overrides = {panel["title"]: panel["fieldConfig"]["overrides"] for panel in panels_of(found[0])}
    service_level, first_reply = overrides["Service level · $window"], overrides["First reply · $window"]
    assert service_level[0]["properties"][0]["value"]["steps"] == [{"color": "orange", "value": None}, {"color": "green", "value": 0.8}]
    assert first_reply[0]["matcher"] == {"id": "byFrameRefID", "options": "Q2"}
    assert first_reply[0]["properties"][0]["value"]["steps"] == [{"color": "green", "value": None}, {"color": "orange", "value": 1800}]
    assert {"id": "custom.thresholdsStyle", "value": {"mode": "dashed"}} in first_reply[0]["properties"]


def test_provisioning_offers_the_data_source_that_the_dashboards_begin_with() -> None:
    source = (GRAFANA / "provisioning/datasources/prometheus.yml").read_text()
    assert f"uid: {DATASOURCE_UID}\n" in source
    assert "url: http://prometheus:9090\n" in source
    scraped = (GRAFANA.parent / "prometheus/prometheus.yml").read_text()
    assert re.findall(r"timeInterval: (\w+)", source) == re.findall(r"scrape_interval: (\w+)", scraped) == ["15s"]
    assert "path: /var/lib/grafana/dashboards\n" in (GRAFANA / "provisioning/dashboards/deskpulse.yml").read_text()

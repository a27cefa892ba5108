"""What Grafana would ask a Prometheus for a dashboard: its queries with the variables filled in."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = sorted((Path(__file__).parents[2] / "grafana" / "dashboards").glob("*.json"))
RATE_INTERVAL = "10s"
RANGE_SECONDS = 60
STEP_SECONDS = 5
PATIENCE_SECONDS = 10.0
Json = dict[str, Any]
Chosen = Mapping[str, str]


class RefusedQueryError(Exception):
    """Prometheus did not take the query; the message holds its reason and the query."""


@dataclass(frozen=True)
class Asked:
    """One query of one panel as it is asked."""

    panel: Json
    target: Json
    expression: str

    def __str__(self) -> str:
        return f"{self.panel['title']}: {self.expression}"


@dataclass(frozen=True)
class Series:
    """One series of an answer, with its newest value."""

    labels: dict[str, str]
    value: float


def read_dashboard(file: Path) -> Json:
    """A committed dashboard."""
    found: Json = json.loads(file.read_text(encoding="utf-8"))
    return found


def panels_of(dashboard: Json) -> list[Json]:
    """Its panels, without the headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def defaults_of(dashboard: Json) -> dict[str, str]:
    """What the variables are where nobody has chosen, as a query sees it."""
    variables = dashboard["templating"]["list"]
    return {variable["name"]: variable.get("allValue") or variable["current"]["value"] for variable in variables}


def filled_in(text: str, chosen: Chosen) -> str:
    """The text with values for its variables. Raises ``KeyError`` for one that the dashboard does not have."""
    known = {**chosen, "__rate_interval": RATE_INTERVAL}
    return re.sub(r"\$\{?(\w+)\}?", lambda match: known[match[1]], text)


def questions(dashboard: Json, chosen: Chosen) -> Iterator[Asked]:
    """Every query of every panel."""
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            yield Asked(panel, target, filled_in(target["expr"], chosen))


def ask(prometheus: str, asked: Asked) -> list[Series]:
    """The answer, as of now or over the last minute, as the panel wants it; empty without data."""
    if asked.target["instant"]:
        found = call(prometheus, "/api/v1/query", {"query": asked.expression})
        return [Series(series["metric"], float(series["value"][1])) for series in found["result"]]
    now = time.time()
    span = {"query": asked.expression, "start": str(now - RANGE_SECONDS), "end": str(now), "step": str(STEP_SECONDS)}
    found = call(prometheus, "/api/v1/query_range", span)
    return [Series(series["metric"], float(series["values"][-1][1])) for series in found["result"]]


def choices(prometheus: str, variable: Json, chosen: Chosen) -> list[str]:
    """What a variable offers: its own list, or the values of a label."""
    if variable["type"] == "custom":
        return [option["value"] for option in variable["options"]]
    found = re.fullmatch(r"label_values\((.*), (\S+)\)", filled_in(variable["definition"], chosen))
    assert found is not None, variable["definition"]
    values: list[str] = call(prometheus, f"/api/v1/label/{found[2]}/values", {"match[]": found[1]}, method="GET")
    return values


def call(prometheus: str, path: str, parameters: Mapping[str, str], method: str = "POST") -> Any:
    """``data`` of an answer. Raises ``RefusedQueryError``."""
    text = urllib.parse.urlencode(parameters)
    address = f"{prometheus}{path}"
    request = urllib.request.Request(address, text.encode()) if method == "POST" else urllib.request.Request(f"{address}?{text}")  # noqa: S310 - a server of our own
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - as above
            return json.loads(response.read())["data"]
    except urllib.error.HTTPError as refused:
        with refused:
            reason = refused.read().decode(errors="replace")
        raise RefusedQueryError(f"{reason}\n{parameters}") from refused

"""The variables of the dashboards: which installation, which windows, which groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.catalogue.entry import Kpi
from models.catalogue.registry import BY_ID
from models.panes.windows import LIVE, NOW
from stream_app.metrics.kpi_collector import TOTAL, metric_name
from stream_app.metrics.pipeline_metrics import READY

ALL = "$__all"
ANYTHING = ".*"
"""What "All" stands for in a query; it also matches series without the label."""
DATASOURCE_UID = "deskpulse-prometheus"
"""Of the provisioned data source, ``grafana/provisioning/datasources``."""
DATASOURCE: Mapping[str, str] = {"type": "prometheus", "uid": "${datasource}"}
_OFFERED = metric_name(BY_ID["offered"])
_BUILT_IN = "__"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One variable. ``default`` is what it is where nobody has chosen; ``values`` or ``label_values`` are the choice."""

    name: str
    label: str
    default: str
    values: tuple[str, ...] = ()
    label_values: str = ""
    several: bool = False
    """Whether several, or all, may be chosen."""


@dataclass(frozen=True)
class WindowChoice:
    """The live windows that some KPIs have, and the variable that chooses among them."""

    variable: Variable
    windows: tuple[str, ...]


def _windows(name: str, label: str, windows: tuple[str, ...], default: str) -> WindowChoice:
    return WindowChoice(Variable(name=name, label=label, default=default, values=windows), windows)


WINDOW_CHOICES = (
    _windows("window", "Window", LIVE, "30m"),
    _windows("day_window", "Window, cohorts", ("today", "7d", "28d"), "today"),
    _windows("long_window", "Window, surveys and FCR", ("7d", "28d"), "28d"),
)

DATASOURCE_VARIABLE = Variable(name="datasource", label="Data source", default=DATASOURCE_UID)
VARIABLES = (
    Variable(name="job", label="Job", default=ALL, label_values=f"label_values({READY.name}, job)", several=True),
    *(choice.variable for choice in WINDOW_CHOICES),
    Variable(name="grouping", label="Grouping", default=TOTAL, label_values=f'label_values({_OFFERED}{{job=~"$job"}}, grouping)'),
    Variable(
        name="group",
        label="Group",
        default=ALL,
        label_values=f'label_values({_OFFERED}{{job=~"$job",grouping="$grouping"}}, $grouping)',
        several=True,
    ),
)


def window_of(kpi: Kpi) -> str:
    """What stands for the window in a query: ``now``, or the variable that offers what the KPI has.

    Raises ``ValueError`` for live windows that no variable offers.
    """
    if NOW in kpi.windows:
        return NOW
    live = tuple(window for window in LIVE if window in kpi.windows)
    for choice in WINDOW_CHOICES:
        if choice.windows == live:
            return f"${choice.variable.name}"
    raise ValueError(f"no variable of the dashboards offers the windows of {kpi.id} ({', '.join(live)}): add a choice to WINDOW_CHOICES")


def used_in(text: str) -> set[str]:
    """Names of the variables in a query or a title, Grafana's own left out."""
    return {name for name in re.findall(r"\$\{?(\w+)", text) if not name.startswith(_BUILT_IN)}


def variables_for(texts: list[str]) -> list[Variable]:
    """The variables used in these texts, and those that their choices use, in the order of the bar."""
    wanted = set().union(*map(used_in, texts))
    for variable in reversed(VARIABLES):
        if variable.name in wanted:
            wanted |= used_in(variable.label_values)
    return [variable for variable in VARIABLES if variable.name in wanted]


def variable_json(variable: Variable) -> dict[str, Any]:
    """As Grafana writes it down."""
    shown = "All" if variable.default == ALL else variable.default
    plain = {"name": variable.name, "label": variable.label, "hide": 0, "skipUrlSync": False}
    if variable is DATASOURCE_VARIABLE:
        current = {"text": "Deskpulse", "value": variable.default}
        return {**plain, "type": "datasource", "query": "prometheus", "refresh": 1, "regex": "", "options": [], "current": current}
    current = {"text": shown, "value": variable.default}
    if variable.values:
        options = [{"selected": value == variable.default, "text": value, "value": value} for value in variable.values]
        return {**plain, "type": "custom", "query": ",".join(variable.values), "options": options, "current": current} | _choice(variable)
    query = {"qryType": 5, "query": variable.label_values, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
    asked = {"type": "query", "datasource": dict(DATASOURCE), "definition": variable.label_values, "query": query}
    return {**plain, **asked, "refresh": 2, "regex": "", "sort": 1, "options": [], "current": current} | _choice(variable)


def _choice(variable: Variable) -> dict[str, Any]:
    if not variable.several:
        return {"multi": False, "includeAll": False}
    return {"multi": True, "includeAll": True, "allValue": ANYTHING}

"""Panels of KPIs, from the catalogue alone: neighbours that share a metric and a window stand in one panel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby, takewhile

from models.catalogue.entry import Kpi, Unit
from models.catalogue.survey_formulas import NetPromoter, WilsonShare
from models.panes.windows import NOW
from models.rollup.rows import ROUTE
from models.rollup.settings import DIMENSIONS
from stream_app.dashboards.content import Goal, Panel, Query
from stream_app.dashboards.variables import window_of
from stream_app.metrics.kpi_collector import interval_name, metric_name

Goals = Mapping[str, float]
"""Per KPI id the value to reach."""

UNITS: Mapping[Unit, str] = {
    "contacts": "short",
    "cases": "short",
    "events": "short",
    "responses": "short",
    "score": "short",
    "seconds": "s",
    "ratio": "percentunit",
}
"""Grafana's units."""
ACRONYMS = {"sla": "SLA", "fcr": "FCR", "csat": "CSAT", "nps": "NPS", "ces": "CES"}
_GROUPS = " ".join(f"{{{{{name}}}}}" for name in DIMENSIONS)


def kpi_panels(kpis: Iterable[Kpi], goals: Goals) -> tuple[Panel, ...]:
    """Time series of the KPIs, in the catalogue's order."""
    together = groupby(kpis, key=lambda kpi: (kpi.metric, window_of(kpi)))
    return tuple(_panel(tuple(members), goals) for _, members in together)


def headline(kpi: Kpi, goals: Goals) -> Panel:
    """The present value of one KPI."""
    return Panel(
        title=_title(words(kpi.id), kpi),
        description=definition(kpi),
        unit=UNITS[kpi.unit],
        queries=(_query(kpi, goals, words(kpi.id)),),
        kind="stat",
        width=3,
    )


def _panel(kpis: tuple[Kpi, ...], goals: Goals) -> Panel:
    title = words(_common(kpis))
    queries = [query for kpi in kpis for query in _queries(kpi, goals, _series_name(kpi, title))]
    return Panel(
        title=_title(title, kpis[0]),
        description="\n\n".join(definition(kpi) for kpi in kpis),
        unit=UNITS[kpis[0].unit],
        queries=tuple(queries),
    )


def _title(title: str, kpi: Kpi) -> str:
    window = window_of(kpi)
    return title if window == NOW else f"{title} · {window}"


def _common(kpis: tuple[Kpi, ...]) -> str:
    """The words at the beginning of the ids that all have; the first id where there are none."""
    positions = zip(*(kpi.id.split("_") for kpi in kpis), strict=False)
    return "_".join(found[0] for found in takewhile(lambda found: len(set(found)) == 1, positions)) or kpis[0].id


def words(name: str) -> str:
    """A name as a title."""
    text = " ".join(ACRONYMS.get(word, word) for word in name.split("_"))
    return text[:1].upper() + text[1:]


def _series_name(kpi: Kpi, title: str) -> str:
    values = [value.replace("_", " ") for _, value in kpi.labels]
    return " ".join(values) or title


def _queries(kpi: Kpi, goals: Goals, name: str) -> list[Query]:
    queries = [_query(kpi, goals, name)]
    if isinstance(kpi.formula, WilsonShare | NetPromoter):
        for bound in ("low", "high"):
            expression = _expression(kpi, interval_name(kpi), {"bound": bound})
            queries.append(Query(expression=expression, legend=_legend(kpi, f"{name} 95 % {bound}")))
    return queries


def _query(kpi: Kpi, goals: Goals, name: str) -> Query:
    goal = Goal(value=goals[kpi.id], better=kpi.direction) if kpi.id in goals else None
    return Query(expression=_expression(kpi, metric_name(kpi), {}), legend=_legend(kpi, name), goal=goal)


def _legend(kpi: Kpi, name: str) -> str:
    return f"{name} {{{{{ROUTE}}}}} {_GROUPS}" if kpi.per_route else f"{name} {_GROUPS}"


def _expression(kpi: Kpi, metric: str, more: Mapping[str, str]) -> str:
    """One series per group, whichever worker it comes from. A dimension that the grouping lacks is matched by anything."""
    exact = {**dict(kpi.labels), **more, "window": window_of(kpi), "grouping": "$grouping"}
    matchers = ",".join(['job=~"$job"', *(f'{name}="{value}"' for name, value in exact.items()), '$grouping=~"$group"'])
    kept = ", ".join((*DIMENSIONS, ROUTE) if kpi.per_route else DIMENSIONS)
    return f"max by ({kept}) ({metric}{{{matchers}}})"


def definition(kpi: Kpi) -> str:
    """Meaning and definition, as Markdown."""
    better = "" if kpi.direction == "neutral" else f" {kpi.direction.capitalize()} is better."
    return f"**{kpi.id}**: {kpi.meaning}.{better} Definition {kpi.version}: `{kpi.formula.describe()}`"

"""All KPIs. A family is added here, a KPI in its family's file, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from models.catalogue import (
    backlog,
    escalations,
    first_contact_resolution,
    queue,
    response,
    sla,
    surveys,
    volume,
)
from models.catalogue.entry import Kpi
from models.catalogue.formulas import Percentile, parts
from models.catalogue.values import KpiValue
from models.panes.histogram import Ordered
from models.panes.pane import Nested

CATALOGUE: Final[tuple[Kpi, ...]] = (
    *volume.KPIS,
    *backlog.KPIS,
    *queue.KPIS,
    *response.KPIS,
    *first_contact_resolution.KPIS,
    *escalations.KPIS,
    *sla.KPIS,
    *surveys.KPIS,
)
BY_ID: Final[dict[str, Kpi]] = {kpi.id: kpi for kpi in CATALOGUE}


def _entries(kpi: Kpi) -> tuple[str, ...]:
    """Names in a nested pane: a part after the colon is the formula's own, unless that part is the route."""
    names = kpi.formula.names
    return names if kpi.per_route else tuple(dict.fromkeys(name.rpartition(":")[0] or name for name in names))


_NOTHING: Final = Ordered({})
_NAMES: Final[dict[str, tuple[str, ...]]] = {kpi.id: _entries(kpi) for kpi in CATALOGUE}


def reads(kpi: Kpi) -> tuple[str, ...]:
    """The names of a nested pane that decide the KPI."""
    return _NAMES[kpi.id]


def with_window(window: str) -> tuple[Kpi, ...]:
    """The KPIs that have this window."""
    return tuple(kpi for kpi in CATALOGUE if window in kpi.windows)


def evaluate(kpis: Iterable[Kpi], pane: Nested, clock: int = 0) -> Iterator[tuple[Kpi, str, KpiValue]]:
    """Every KPI with data in the pane, with its survey route (empty where it has none)."""
    histogram, ordered = "", _NOTHING
    for kpi in kpis:
        if not _has_any(pane, _NAMES[kpi.id]):
            continue
        formula = kpi.formula
        if isinstance(formula, Percentile):
            if formula.name != histogram:
                histogram, ordered = formula.name, Ordered(parts(pane, formula.name))
            if ordered.count:
                yield kpi, "", formula.of(ordered)
            continue
        if kpi.per_route:
            yield from _by_route(kpi, pane, clock)
        else:
            value = formula.evaluate(pane, clock)
            if value is not None:
                yield kpi, "", value


def _has_any(pane: Nested, names: tuple[str, ...]) -> bool:
    for name in names:  # noqa: SIM110 - a generator costs more than all else here
        if name in pane:
            return True
    return False


def _by_route(kpi: Kpi, pane: Nested, clock: int) -> Iterator[tuple[Kpi, str, KpiValue]]:
    names = _NAMES[kpi.id]
    for route in _routes(pane, names):
        of_route: Nested = {name: inner[route] for name in names if isinstance(inner := pane.get(name), dict) and route in inner}
        value = kpi.formula.evaluate(of_route, clock)
        if value is not None:
            yield kpi, route, value


def _routes(pane: Nested, names: Sequence[str]) -> list[str]:
    routes: set[str] = set()
    for name in names:
        inner = pane.get(name)
        if isinstance(inner, dict):
            routes.update(inner)
    return sorted(routes)

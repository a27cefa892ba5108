"""KPI rows: names of rows within a group and window, and the records made of values."""

from __future__ import annotations

from typing import Final

from models.catalogue.entry import Kpi
from models.catalogue.formulas import Count, Level
from models.catalogue.registry import CATALOGUE
from models.catalogue.values import KpiValue, Signature
from models.panes.windows import Bounds
from models.rollup.groups import Labels
from models.rollup.records import KpiRecord

ROUTE: Final = "route"
_SEPARATOR: Final = "\u001f"
_names: Final[dict[tuple[str, str], str]] = {}


def row_name(kpi: str, route: str) -> str:
    """The name of a row within its group and window: the KPI and, if it has one, the survey route."""
    if not route:
        return kpi
    found = _names.get((kpi, route))
    if found is None:
        found = _names[kpi, route] = kpi + _SEPARATOR + route
    return found


def row_parts(name: str) -> tuple[str, str]:
    """KPI and route of a row."""
    kpi, _, route = name.partition(_SEPARATOR)
    return kpi, route


def vanished(kpi: Kpi) -> KpiValue:
    """What a row says that has lost its data: a count is zero, everything else unknown."""
    return KpiValue(0) if isinstance(kpi.formula, Count | Level) else KpiValue(None)


def signature(value: KpiValue) -> Signature:
    """What decides whether the value has changed; the parts left out follow from it. Plain counts are themselves.

    Ages, which grow all the time, have none.
    """
    amount, numerator, n = value.value, value.numerator, value.n
    if numerator is None and n is None:
        return amount
    return (amount, numerator, value.denominator, n, value.excluded)


def kpis_of(window: str) -> tuple[Kpi, ...]:
    """The KPIs that have a window, in the catalogue's order."""
    return tuple(kpi for kpi in CATALOGUE if window in kpi.windows)


def row_group(labels: Labels, route: str) -> Labels:
    """The group as published: a route stands beside the grouping's own dimensions."""
    return {**labels, ROUTE: route} if route else labels


def record_of(kpi: Kpi, value: KpiValue, window: str, bounds: Bounds | None, group: Labels, watermark: int | None, state: str) -> KpiRecord:
    """The record of a value. ``bounds`` is absent for levels."""
    return KpiRecord(
        kpi.id,
        value.value,
        kpi.unit,
        window,
        group,
        watermark,
        state,
        value.numerator,
        value.denominator,
        value.n,
        value.low,
        value.high,
        value.small_n,
        value.excluded,
        value.since,
        bounds[0] if bounds else None,
        bounds[1] if bounds else None,
        definition_version=kpi.version,
    )

"""Gauges of the KPIs, read at scrape time from the Rollup of this worker while it is the active one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from models.catalogue.entry import Kpi
from models.catalogue.registry import CATALOGUE
from models.catalogue.values import KpiValue
from models.rollup.rows import ROUTE

PREFIX = "deskpulse_"
TOTAL = "all"


class Values(Protocol):
    """The values of an active Rollup; nothing from any other."""

    def current(self) -> Iterable[tuple[Kpi, str, dict[str, str], KpiValue]]: ...


def metric_name(kpi: Kpi) -> str:
    """The full name of a KPI's gauge."""
    return PREFIX + kpi.metric


class KpiCollector(Collector):
    """One gauge family per metric name of the catalogue. A KPI without a value has no sample: absent is not 0."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def describe(self) -> Iterable[Metric]:
        """Names are known without a scrape; values are not asked for."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        """Families that have a sample now."""
        families = _families()
        for kpi, window, group, value in self._values.current():
            if value.value is None:
                continue
            labels = _labels(kpi, window, group)
            families[kpi.metric].add_sample(metric_name(kpi), labels, float(value.value))
            if value.low is not None and value.high is not None:
                interval = families[f"{kpi.metric}:interval"]
                interval.add_sample(interval_name(kpi), {**labels, "bound": "low"}, value.low)
                interval.add_sample(interval_name(kpi), {**labels, "bound": "high"}, value.high)
        yield from (family for family in families.values() if family.samples)


def interval_name(kpi: Kpi) -> str:
    """The full name of the gauge with the bounds of a survey KPI's 95 % interval."""
    head, _, unit = kpi.metric.rpartition("_")
    return f"{PREFIX}{head}_interval_{unit}"


def _families() -> dict[str, Metric]:
    families: dict[str, Metric] = {}
    for kpi in CATALOGUE:
        if kpi.metric not in families:
            families[kpi.metric] = Metric(metric_name(kpi), f"{kpi.meaning}.", "gauge")
            if kpi.family == "surveys":
                families[f"{kpi.metric}:interval"] = Metric(interval_name(kpi), f"95 % interval: {kpi.meaning}.", "gauge")
    return families


def _labels(kpi: Kpi, window: str, group: dict[str, str]) -> dict[str, str]:
    dimensions = {name: value for name, value in group.items() if name != ROUTE}
    grouping = "_".join(dimensions) or TOTAL
    return {**dict(kpi.labels), "window": window, "grouping": grouping, **group}

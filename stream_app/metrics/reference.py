"""``python -m stream_app.metrics.reference``: the reference page of all metrics, from the lists that the collectors go by."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from models.catalogue.entry import Kpi
from models.catalogue.registry import CATALOGUE
from models.catalogue.survey_formulas import NetPromoter, WilsonShare
from stream_app.metrics.kpi_collector import interval_name, metric_name
from stream_app.metrics.pipeline_metrics import PIPELINE_METRICS, PipelineMetric

_HEAD = """# Metrics

<!-- Made by `make reference`; a test keeps it in step. Change the collectors or the catalogue instead. -->

Every worker answers `/metrics` on the address in `[metrics]` (by default `http://127.0.0.1:9464/metrics`). A series goes with its
partition: after a rebalance it is found at the new owner, and nowhere else.

## Of the pipeline, from every worker

| Metric | Type | Labels | Meaning |
|---|---|---|---|
"""

_PIPELINE_LABELS = """
`topic` has no prefix; `source` is an input with its partition, such as `contacts-3`; `processor` is `intake`, `cases`, `customers`
or `rollup`. Outcomes are, for `topic="input"` (all inputs together) `accepted`, `ignored` and `dead_lettered`; for `topic="events"`
`duplicate`, `redelivered`, `dead_lettered`, `too_late` and `row_full`.
Beside these there are `process_*` and `python_info`, as from every Python program.

## Of the KPIs, from the worker whose Rollup is active

All are gauges, the flows too: the value of a window that moves on, which goes down again. Beside the labels that are shown every one has

- `window`: `5m` to `28d`, `today`, or `now` for a level;
- `grouping`: `all`, or the dimensions of the group joined by `_`, such as `queue_channel`; choose one, or groups are added to their
  total;
- one label for each of these dimensions: `queue`, `channel`, `priority`, `team`; for surveys `route`, always.

A KPI without data has no sample: absent is not 0. Rows of closed windows are on the topic `kpi-windows` only. `bound` is `low` or `high`.

| Metric | KPI | Meaning |
|---|---|---|
"""


_SUFFIXES = {"gauge": ("",), "counter": ("_total",), "timing": ("_count", "_sum")}
_TYPES = {"gauge": "gauge", "counter": "counter", "timing": "summary"}


def metrics_markdown() -> str:
    """The reference page."""
    pipeline = (_pipeline_row(metric) for metric in PIPELINE_METRICS)
    kpis = (row for kpi in CATALOGUE for row in _kpi_rows(kpi))
    return "".join((_HEAD, *pipeline, _PIPELINE_LABELS, *kpis))


def _pipeline_row(metric: PipelineMetric) -> str:
    names = (metric.name + suffix for suffix in _SUFFIXES[metric.kind])
    return f"| {_codes(names)} | {_TYPES[metric.kind]} | {_codes(metric.labels)} | {metric.meaning} |\n"


def _kpi_rows(kpi: Kpi) -> Iterator[str]:
    link = f"[{kpi.id}](kpis.md#{kpi.id})"
    yield f"| `{metric_name(kpi)}{_fixed(kpi.labels)}` | {link} | {kpi.meaning}. |\n"
    if isinstance(kpi.formula, WilsonShare | NetPromoter):
        yield f"| `{interval_name(kpi)}{_fixed((*kpi.labels, ('bound', '…')))}` | {link} | 95 % interval of it. |\n"


def _fixed(labels: Iterable[tuple[str, str]]) -> str:
    given = ",".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{given}}}" if given else ""


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(metrics_markdown())

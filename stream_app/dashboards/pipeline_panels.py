"""Panels of the pipeline itself, from the list of its metrics, and the strip at the top of every dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stream_app.dashboards.content import Panel, Query, Row
from stream_app.dashboards.kpi_panels import words
from stream_app.metrics.pipeline_metrics import (
    INPUT_RECORDS,
    PIPELINE_METRICS,
    READY,
    SIMULATED,
    SOURCE_SILENT,
    WATERMARK,
    WATERMARK_LAG,
    PipelineMetric,
)

_JOB = '{job=~"$job"}'
_RATE = "[$__rate_interval]"
_PREFIX = "deskpulse_"
_UNITS = {"seconds": "s", "records": "short", "bytes": "bytes"}
_INSTANT = "dateTimeAsIsoNoDateIfToday"
"""Grafana's unit for instants, which it wants in milliseconds."""
_MISSING = "dead_lettered|late|too_late|row_full"
"""Outcomes of input records that are not in the numbers, or came when the numbers were out."""


def strip() -> Row:
    """Whether the numbers below can be trusted now: real or made up, complete up to when, which source is late."""
    panels = (
        _now("Traffic", SIMULATED, f"max ({SIMULATED.name}{_JOB})", 3, texts=(("0", "real", "text"), ("1", "SIMULATED", "orange"))),
        _now("Complete up to", WATERMARK, f"min ({WATERMARK.name}{_JOB}) * 1000", 4, unit=_INSTANT),
        _now(
            "Furthest behind",
            WATERMARK_LAG,
            f"topk (3, max by (source) ({WATERMARK_LAG.name}{_JOB}))",
            6,
            unit="s",
            legend="{{source}}",
        ),
        _now("Silent sources", SOURCE_SILENT, f"sum (max by (source) ({SOURCE_SILENT.name}{_JOB}))", 3),
        _now(
            "Late or refused, 1 h",
            INPUT_RECORDS,
            f'round (sum by (outcome) (increase({INPUT_RECORDS.name}_total{{job=~"$job",outcome=~"{_MISSING}"}}[1h])))',
            5,
            legend="{{outcome}}",
        ),
        _now("Workers ready", READY, f"sum ({READY.name}{_JOB})", 3),
    )
    return Row(title="Can these numbers be trusted?", panels=panels)


def pipeline_rows() -> tuple[Row, ...]:
    """Every metric of the pipeline, and what its processes use."""
    panels = [panel for metric in PIPELINE_METRICS for panel in _metric_panels(metric)]
    return Row(title="Pipeline", panels=tuple(panels)), Row(title="Processes", panels=_process_panels())


def _now(title: str, metric: PipelineMetric, expression: str, width: int, *, unit: str = "short", legend: str = "", **more: Any) -> Panel:
    query = Query(expression=expression, legend=legend or title)
    return Panel(title=title, description=metric.meaning, unit=unit, queries=(query,), kind="stat", width=width, **more)


def _metric_panels(metric: PipelineMetric) -> Iterator[Panel]:
    name, _, unit = metric.name.removeprefix(_PREFIX).rpartition("_")
    title = words(name if unit in _UNITS else metric.name.removeprefix(_PREFIX))
    by = f"{metric.across} by ({', '.join(metric.labels)})" if metric.labels else metric.across
    if metric.name.endswith("_timestamp_seconds"):
        yield _course(title, metric, f"{by} ({metric.name}{_JOB}) * 1000", _INSTANT)
    elif metric.kind == "gauge":
        yield _course(title, metric, f"{by} ({metric.name}{_JOB})", _UNITS.get(unit, "short"))
    elif metric.kind == "counter":
        yield _course(f"{title} per second", metric, f"{by} (rate({metric.name}_total{_JOB}{_RATE}))", "cps")
    else:
        yield from _timing_panels(title, metric, by)


def _timing_panels(title: str, metric: PipelineMetric, by: str) -> Iterator[Panel]:
    seconds, times = f"{metric.name}_sum{_JOB}", f"{metric.name}_count{_JOB}"
    if metric.seldom:
        yield _course(f"{title}, mean", metric, f"{by} ({seconds}) / {by} ({times})", "s")
        yield _course(f"{title}, how many", metric, f"{by} ({times})", "short")
    else:
        yield _course(f"{title}, mean", metric, f"{by} (rate({seconds}{_RATE})) / {by} (rate({times}{_RATE}))", "s")
        yield _course(f"{title} per second", metric, f"{by} (rate({times}{_RATE}))", "cps")


def _course(title: str, metric: PipelineMetric, expression: str, unit: str) -> Panel:
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels) or title
    query = Query(expression=expression, legend=legend)
    return Panel(title=title, description=f"`{metric.name}`: {metric.meaning}", unit=unit, queries=(query,))


def _process_panels() -> tuple[Panel, ...]:
    """Of the workers only: a job may hold other processes too."""
    workers = f"and on (job, instance) {READY.name}"
    processor = f"rate(process_cpu_seconds_total{_JOB}{_RATE}) {workers}"
    memory = f"process_resident_memory_bytes{_JOB} {workers}"
    return (
        _of_instances("Cores used", "Of each worker, which uses one core at most.", processor, "short"),
        _of_instances("Memory", "Resident memory of each worker.", memory, "bytes"),
    )


def _of_instances(title: str, description: str, expression: str, unit: str) -> Panel:
    return Panel(title=title, description=description, unit=unit, queries=(Query(expression=expression, legend="{{instance}}"),))

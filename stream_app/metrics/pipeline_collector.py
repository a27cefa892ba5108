"""Metrics of the pipeline itself, from every worker, read from its view at scrape time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from stream_app.metrics.pipeline_metrics import (
    CHECKPOINT,
    CLOCK,
    INPUT_RECORDS,
    LAG,
    PROCESSED_RECORDS,
    READY,
    RECOVERY,
    ROLLUP_ACTIVE,
    SIMULATED,
    SOURCE_SILENT,
    WATERMARK,
    WATERMARK_LAG,
    PipelineMetric,
)
from stream_app.metrics.views import Timing, WorkerView


class PipelineCollector(Collector):
    """Lag, watermark, outcomes of the input, checkpoints, recoveries, readiness."""

    def __init__(self, view: WorkerView) -> None:
        self._view = view

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the view before the first scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The worker as it is now."""
        yield _gauge(READY, self._view.ready())
        yield _gauge(ROLLUP_ACTIVE, self._view.publishing())
        yield _gauge(SIMULATED, self._view.simulated())
        yield self._lag()
        yield from self._time()
        yield from self._work()
        yield _timings(CHECKPOINT, self._view.checkpoints())
        yield _timings(RECOVERY, self._view.recoveries())

    def _lag(self) -> Metric:
        lag = GaugeMetricFamily(LAG.name, LAG.meaning, labels=LAG.labels)
        for topic, partition, records in self._view.lags():
            lag.add_metric((topic, str(partition)), records)
        return lag

    def _time(self) -> Iterator[Metric]:
        clock, watermark = self._view.clock(), self._view.watermark()
        lag = GaugeMetricFamily(WATERMARK_LAG.name, WATERMARK_LAG.meaning, labels=WATERMARK_LAG.labels)
        silent = GaugeMetricFamily(SOURCE_SILENT.name, SOURCE_SILENT.meaning, labels=SOURCE_SILENT.labels)
        for source, at in self._view.sources():
            silent.add_metric((source,), float(at is None))
            if at is not None and clock is not None:
                lag.add_metric((source,), max(0, clock - at) / 1000)
        yield lag
        yield silent
        if clock is not None:
            yield _gauge(CLOCK, clock / 1000)
        if watermark is not None:
            yield _gauge(WATERMARK, watermark / 1000)

    def _work(self) -> Iterator[Metric]:
        outcomes = CounterMetricFamily(INPUT_RECORDS.name, INPUT_RECORDS.meaning, labels=INPUT_RECORDS.labels)
        for topic, outcome, records in self._view.outcomes():
            outcomes.add_metric((topic, outcome), records)
        processed = CounterMetricFamily(PROCESSED_RECORDS.name, PROCESSED_RECORDS.meaning, labels=PROCESSED_RECORDS.labels)
        for processor, records in self._view.processed():
            processed.add_metric((processor,), records)
        yield outcomes
        yield processed


def _gauge(metric: PipelineMetric, value: float) -> Metric:
    return GaugeMetricFamily(metric.name, metric.meaning, value=float(value))


def _timings(metric: PipelineMetric, timings: Iterable[Timing]) -> Metric:
    family = SummaryMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for timing in timings:
        family.add_metric((timing.name,), timing.times, timing.seconds)
    return family

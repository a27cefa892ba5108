"""Metrics of the pipeline itself, from every worker, read from its view at scrape time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

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
        yield self._ready()
        yield GaugeMetricFamily("deskpulse_rollup_active", "1 on the worker that publishes the KPIs.", value=float(self._view.publishing()))
        yield GaugeMetricFamily("deskpulse_simulated", "1 while the traffic is made up.", value=float(self._view.simulated()))
        yield self._lag()
        yield from self._time()
        yield from self._work()
        yield _timings("deskpulse_checkpoint_seconds", "Checkpoints: how often, and how long together.", self._view.checkpoints())
        yield _timings(
            "deskpulse_recovery_seconds",
            "Recoveries of partitions: how often, and how long together.",
            self._view.recoveries(),
        )

    def _ready(self) -> Metric:
        return GaugeMetricFamily("deskpulse_ready", "1 when assigned, recovered and caught up.", value=float(self._view.ready()))

    def _lag(self) -> Metric:
        lag = GaugeMetricFamily(
            "deskpulse_lag_records",
            "Records between the position and the end of a partition owned here.",
            labels=("topic", "partition"),
        )
        for topic, partition, records in self._view.lags():
            lag.add_metric((topic, str(partition)), records)
        return lag

    def _time(self) -> Iterator[Metric]:
        clock, watermark = self._view.clock(), self._view.watermark()
        lag = GaugeMetricFamily(
            "deskpulse_watermark_lag_seconds",
            "How far the progress of an input source is behind the log's clock.",
            labels=("source",),
        )
        silent = GaugeMetricFamily(
            "deskpulse_source_silent", "1 for an input source that has not reported any progress.", labels=("source",)
        )
        for source, at in self._view.sources():
            silent.add_metric((source,), float(at is None))
            if at is not None and clock is not None:
                lag.add_metric((source,), max(0, clock - at) / 1000)
        yield lag
        yield silent
        if clock is not None:
            yield GaugeMetricFamily("deskpulse_clock_timestamp_seconds", "The log's clock: the newest progress mark's.", value=clock / 1000)
        if watermark is not None:
            yield GaugeMetricFamily(
                "deskpulse_watermark_timestamp_seconds", "Watermark of the partitions owned here.", value=watermark / 1000
            )

    def _work(self) -> Iterator[Metric]:
        outcomes = CounterMetricFamily(
            "deskpulse_input_records",
            "Input records by outcome: accepted, duplicate, ignored, dead_lettered, late, too_late.",
            labels=("topic", "outcome"),
        )
        for topic, outcome, records in self._view.outcomes():
            outcomes.add_metric((topic, outcome), records)
        processed = CounterMetricFamily("deskpulse_processed_records", "Records handled by a processor.", labels=("processor",))
        for processor, records in self._view.processed():
            processed.add_metric((processor,), records)
        yield outcomes
        yield processed


def _timings(name: str, words: str, timings: Iterable[Timing]) -> Metric:
    family = SummaryMetricFamily(name, words, labels=("processor",))
    for timing in timings:
        family.add_metric((timing.name,), timing.times, timing.seconds)
    return family

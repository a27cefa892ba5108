"""Both collectors on a registry, as a scrape sees them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from models.catalogue.registry import CATALOGUE
from models.panes.histogram import key
from models.panes.tiers import DAY, HOUR
from models.rollup.records import LevelRecord
from stream_app.metrics.kpi_collector import KpiCollector
from stream_app.metrics.pipeline_collector import PipelineCollector
from stream_app.metrics.pipeline_metrics import PIPELINE_METRICS
from stream_app.metrics.reference import metrics_markdown
from stream_app.metrics.views import OutcomeCount, PartitionLag, ProcessorCount, SourceProgress, Timing
from stream_app.metrics.worker_view import _OUTCOMES
from tests.support.panes_topic import BILLING, PanesTopic
from tests.support.requirements import missing
from tests.unit.test_catalogue import whole_pane

NOON = 1_700_006_400_000 // DAY * DAY + 12 * HOUR
Sample = tuple[str, tuple[tuple[str, str], ...]]
Labels = dict[str, str]


class OneWorker:
    """A worker whose state the test sets."""

    def __init__(self) -> None:
        self.partitions = [PartitionLag("events", 0, 12), PartitionLag("events", 1, 0)]
        self.at: int | None = NOON - 2_500

    def lags(self) -> Iterable[PartitionLag]:
        return self.partitions

    def sources(self) -> Iterable[SourceProgress]:
        return [SourceProgress("contacts-0", self.at), SourceProgress("contacts-1", None)]

    def watermark(self) -> int | None:
        return self.at

    def clock(self) -> int | None:
        return NOON

    def outcomes(self) -> Iterable[OutcomeCount]:
        return [OutcomeCount("contacts", "accepted", 9), OutcomeCount("contacts", "dead_lettered", 1)]

    def processed(self) -> Iterable[ProcessorCount]:
        return [ProcessorCount("cases", 10)]

    def checkpoints(self) -> Iterable[Timing]:
        return [Timing("cases", 4, 0.5)]

    def recoveries(self) -> Iterable[Timing]:
        return [Timing("cases", 2, 1.25)]

    def ready(self) -> bool:
        return True

    def publishing(self) -> bool:
        return True

    def simulated(self) -> bool:
        return False


def scraped(*collectors: KpiCollector | PipelineCollector) -> tuple[str, dict[Sample, float]]:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    text = generate_latest(registry).decode()
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return text, samples


def sample(name: str, **labels: str) -> Sample:
    return name, tuple(sorted(labels.items()))


@pytest.fixture
def topic() -> PanesTopic:
    """A Rollup that publishes every KPI of the catalogue."""
    topic = PanesTopic()
    levels = ("backlog:", "age:", "awaiting", "oldest_", "sla_overdue", "sla_at_risk", "sla_running")
    pane = whole_pane()
    topic.fact(NOON, {name: n for name, n in pane.items() if not name.startswith(levels)})
    topic.level(LevelRecord((0, 0), cells=[(BILLING, {name: n for name, n in pane.items() if name.startswith(levels)})]))
    topic.status(NOON, NOON)
    topic.publish_all()
    return topic


def test_gauges_carry_percentile_window_and_grouping(topic: PanesTopic) -> None:
    _, samples = scraped(KpiCollector(topic.rollup))
    name = "deskpulse_first_reply_seconds"
    assert samples[sample(name, percentile="p90", window="30m", grouping="queue", queue="billing")] == pytest.approx(3.7, rel=0.01)
    assert samples[sample("deskpulse_service_level_ratio", variant="ignore", window="today", grouping="all")] == 860 / 1040
    assert (
        samples[sample("deskpulse_backlog_cases", status="open", window="now", grouping="queue_channel", queue="billing", channel="phone")]
        == 11
    )


def test_surveys_carry_their_route_and_interval(topic: PanesTopic) -> None:
    _, samples = scraped(KpiCollector(topic.rollup))
    labels = {"window": "7d", "grouping": "all", "route": "email"}
    low = samples[sample("deskpulse_csat_interval_ratio", bound="low", **labels)]
    high = samples[sample("deskpulse_csat_interval_ratio", bound="high", **labels)]
    assert low < samples[sample("deskpulse_csat_ratio", **labels)] < high


def test_every_kpi_of_the_catalogue_has_a_sample(topic: PanesTopic) -> None:
    _, samples = scraped(KpiCollector(topic.rollup))
    for kpi in CATALOGUE:
        assert any(name == f"deskpulse_{kpi.metric}" and set(kpi.labels) <= set(labels) for name, labels in samples), kpi.id


def test_value_that_is_unknown_has_no_sample(topic: PanesTopic) -> None:
    topic.fact(NOON, {key("handle_time", 5_000): 1, "handle_time_ms": 5_000}, ("new", "chat", "low", "t1"))
    topic.publish_all()
    present = sample("deskpulse_handle_time_mean_seconds", window="5m", grouping="queue", queue="new")
    assert present in scraped(KpiCollector(topic.rollup))[1]
    topic.status(NOON, NOON + HOUR)
    topic.publish_all()
    assert present not in scraped(KpiCollector(topic.rollup))[1]


def test_revoked_rollup_has_no_gauges(topic: PanesTopic) -> None:
    collector = KpiCollector(topic.rollup)
    topic.rollup.revoked()
    assert scraped(collector) == ("", {})


def test_registering_asks_for_no_values() -> None:
    names = {family.name for family in KpiCollector(PanesTopic().rollup).describe()}
    assert {f"deskpulse_{kpi.metric}" for kpi in CATALOGUE} <= names
    assert list(PipelineCollector(OneWorker()).describe()) == []


def test_worker_shows_lag_progress_outcomes_and_times() -> None:
    _, samples = scraped(PipelineCollector(OneWorker()))
    assert samples[sample("deskpulse_lag_records", topic="events", partition="0")] == 12
    assert samples[sample("deskpulse_watermark_lag_seconds", source="contacts-0")] == 2.5
    assert samples[sample("deskpulse_source_silent", source="contacts-1")] == 1
    assert samples[sample("deskpulse_input_records_total", topic="contacts", outcome="dead_lettered")] == 1
    assert samples[sample("deskpulse_processed_records_total", processor="cases")] == 10
    assert samples[sample("deskpulse_checkpoint_seconds_count", processor="cases")] == 4
    assert samples[sample("deskpulse_recovery_seconds_sum", processor="cases")] == 1.25
    assert samples[sample("deskpulse_watermark_timestamp_seconds")] == (NOON - 2_500) / 1000
    assert samples[sample("deskpulse_clock_timestamp_seconds")] == NOON / 1000
    assert samples[sample("deskpulse_ready")] == 1
    assert samples[sample("deskpulse_rollup_active")] == 1
    assert samples[sample("deskpulse_simulated")] == 0


def test_every_metric_of_the_list_is_collected_under_its_name_meaning_and_labels() -> None:
    collected = {family.name: family for family in PipelineCollector(OneWorker()).collect()}
    assert list(collected) == [metric.name for metric in PIPELINE_METRICS]
    for metric in PIPELINE_METRICS:
        family = collected[metric.name]
        assert family.documentation == metric.meaning
        assert {tuple(found.labels) for found in family.samples} == {metric.labels}


def test_source_without_progress_has_no_lag_and_no_watermark() -> None:
    worker = OneWorker()
    worker.at = None
    _, samples = scraped(PipelineCollector(worker))
    assert not [name for name, _ in samples if "watermark" in name]


def test_no_series_outlives_its_partition() -> None:
    worker = OneWorker()
    collector = PipelineCollector(worker)
    scraped(collector)
    worker.partitions.pop()
    assert sample("deskpulse_lag_records", topic="events", partition="1") not in scraped(collector)[1]


@pytest.mark.prometheus
def test_promtool_finds_nothing_to_complain_of(topic: PanesTopic) -> None:
    if shutil.which("promtool") is None:
        missing("promtool is not installed")
    text, _ = scraped(KpiCollector(topic.rollup), PipelineCollector(OneWorker()))
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"
OF_EVERY_KPI = {"window", "grouping", "queue", "channel", "priority", "team", "route"}


def on_the_page() -> set[tuple[str, frozenset[str]]]:
    """Name and labels of each metric, from the tables."""
    found = set()
    for first, second in re.findall(r"^\| (`deskpulse_.*?) \| (?:\w+ \| )?(.*?) \|", PAGE.read_text(), flags=re.MULTILINE):
        for name, fixed in re.findall(r"`(\w+)(?:\{(.*?)\})?`", first):
            labels = re.findall(r"(\w+)=", fixed) if second.startswith("[") else re.findall(r"`(\w+)`", second)
            found.add((name, frozenset(labels)))
    return found


def test_the_page_of_metrics_is_in_step() -> None:
    assert PAGE.read_text() == metrics_markdown(), "run: make reference"


def test_the_page_has_exactly_the_names_and_labels_of_a_scrape(topic: PanesTopic) -> None:
    pipeline = {(name, frozenset(dict(labels))) for name, labels in scraped(PipelineCollector(OneWorker()))[1]}
    kpis = {(name, frozenset(dict(labels)) - OF_EVERY_KPI) for name, labels in scraped(KpiCollector(topic.rollup))[1]}
    assert on_the_page() == pipeline | kpis


def test_every_outcome_of_an_event_is_on_the_page() -> None:
    words = re.search(r'topic="events"`\s(.*?)\.', PAGE.read_text(), flags=re.DOTALL)
    assert words is not None
    assert set(re.findall(r"`(\w+)`", words[1])) == set(_OUTCOMES.values())

"""Which topics there are, how they are created, and which differences on a broker matter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stream_app.settings import Settings
from stream_app.topics import ExistingTopic, TopicSpec, differences, specs_of, topic_specs

DAY_MS = 86_400_000


def by_name(specs: list[TopicSpec]) -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in specs}


def as_asked(specs: list[TopicSpec]) -> dict[str, ExistingTopic]:
    return {spec.name: ExistingTopic(spec.partitions, dict(spec.config)) for spec in specs}


def test_the_default_installation_has_three_inputs_and_eleven_topics_of_its_own() -> None:
    specs = topic_specs()
    assert [spec.name for spec in specs if not spec.ours] == ["contacts", "resolutions", "surveys"]
    assert {spec.name for spec in specs if spec.ours} == {
        f"deskpulse.{name}"
        for name in (
            "events", "customer-log", "panes", "kpis", "kpi-windows", "case-events", "sla-events",
            "cases", "dead-letters", "cases-changelog", "customers-changelog",
        )
    }  # fmt: skip


def test_logs_and_their_changelogs_have_the_same_partition_count_and_shared_topics_one() -> None:
    counts = {name: spec.partitions for name, spec in by_name(topic_specs("p", inputs={}, log_partitions=6)).items()}
    assert {name for name, count in counts.items() if count == 1} == {"p.panes", "p.kpis", "p.kpi-windows", "p.dead-letters"}
    assert set(counts.values()) == {1, 6}


def test_logs_outlive_the_horizon_by_a_week() -> None:
    events = by_name(topic_specs("p", horizon=timedelta(days=100)))["p.events"]
    assert events.config["retention.ms"] == str(107 * DAY_MS)
    assert events.config["message.timestamp.type"] == "LogAppendTime"


def test_compacted_topics_keep_every_record_for_the_compaction_lag() -> None:
    compacted = [spec for spec in topic_specs(compaction_lag=timedelta(hours=2)) if spec.config["cleanup.policy"] == "compact"]
    assert len(compacted) == 6
    assert {spec.config["min.compaction.lag.ms"] for spec in compacted} == {"7200000"}


def test_the_specs_of_the_default_settings_are_the_default_specs() -> None:
    assert specs_of(Settings()) == topic_specs()


def test_topics_as_asked_for_do_not_differ() -> None:
    specs = topic_specs()
    assert differences(specs, as_asked(specs)) == []


def test_an_input_may_have_any_partition_count_and_retention() -> None:
    specs = topic_specs()
    existing = as_asked(specs) | {"contacts": ExistingTopic(37, {"cleanup.policy": "delete", "retention.ms": "1000"})}
    assert differences(specs, existing) == []


def test_a_compacted_input_would_lose_events_and_differs() -> None:
    specs = topic_specs()
    [found] = differences(specs, as_asked(specs) | {"contacts": ExistingTopic(4, {"cleanup.policy": "compact"})})
    assert (found.topic, found.what, found.actual) == ("contacts", "cleanup.policy", "compact")


@pytest.mark.parametrize(
    ("key", "value", "differs"),
    [
        ("retention.ms", "-1", False),
        ("retention.ms", str(43 * DAY_MS), False),
        ("retention.ms", str(41 * DAY_MS), True),
        ("message.timestamp.type", "CreateTime", True),
        ("max.message.bytes", "1048588", True),
        ("segment.ms", "5", False),
    ],
)
def test_more_than_asked_for_is_no_difference_less_is(key: str, value: str, differs: bool) -> None:
    specs = topic_specs()
    events = by_name(specs)["deskpulse.events"]
    existing = as_asked(specs) | {events.name: ExistingTopic(4, {**events.config, key: value})}
    assert [found.what for found in differences(specs, existing)] == ([key] if differs else [])


def test_a_difference_reads_as_a_sentence_with_the_way_out() -> None:
    [found] = differences([TopicSpec("p.kpis", 1)], {})
    assert str(found) == "p.kpis: topic is missing, should be there. Run `deskpulse topics create`."

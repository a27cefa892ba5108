"""What the doctor concludes from what it finds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from stream_app.diagnosis.access import access_findings
from stream_app.diagnosis.broker import topic_findings
from stream_app.diagnosis.clock import clock_finding
from stream_app.diagnosis.findings import Level, problem
from stream_app.diagnosis.retention import retention_findings
from stream_app.diagnosis.software import satisfies, software_findings
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import ClientSecurity
from stream_app.settings import Settings
from stream_app.topics import ExistingTopic, specs_of
from tests.support.certificates import written

SETTINGS = Settings()
SPECS = specs_of(SETTINGS)
AS_ASKED = {spec.name: ExistingTopic(spec.partitions, dict(spec.config)) for spec in SPECS}


def test_a_finding_says_its_level_in_symbol_and_word_and_what_to_do_below() -> None:
    assert problem("clock", "wrong", "set it").lines() == ["✗ problem  clock: wrong", "             → set it"]


def test_topics_as_asked_are_one_good_finding_and_one_per_input() -> None:
    found = list(topic_findings(SETTINGS, SPECS, AS_ASKED))
    assert [finding.level for finding in found] == [Level.OK] * 4


def test_missing_topics_are_named_together() -> None:
    found = list(topic_findings(SETTINGS, SPECS, {}))
    assert (len(found), found[0].level) == (1, Level.PROBLEM)
    assert "deskpulse.events" in found[0].detail


def test_a_log_with_another_partition_count_is_a_problem_and_an_input_with_one_a_warning() -> None:
    changed = {name: dataclasses.replace(AS_ASKED[name], partitions=7) for name in ("deskpulse.events", "contacts")}
    found = {finding.subject: finding.level for finding in topic_findings(SETTINGS, SPECS, {**AS_ASKED, **changed})}
    assert found["topic deskpulse.events"] is Level.PROBLEM
    assert found["input contacts"] is Level.WARNING


def changed(name: str, **config: str) -> dict[str, ExistingTopic]:
    """All topics as asked for, but for some settings of one."""
    keys = {key.replace("_", "."): value for key, value in config.items()}
    topic = AS_ASKED[name]
    return {**AS_ASKED, name: dataclasses.replace(topic, config={**topic.config, **keys})}


def test_retention_as_asked_for_and_longer_is_well() -> None:
    assert list(retention_findings(SETTINGS, SPECS, AS_ASKED)) == []
    assert list(retention_findings(SETTINGS, SPECS, changed("contacts", retention_ms="-1", retention_bytes="-1"))) == []
    assert list(retention_findings(SETTINGS, SPECS, {})) == []


@pytest.mark.parametrize(
    ("name", "key", "value", "words"),
    [
        ("contacts", "retention_ms", "3600000", "keeps events for 1h, less than kafka.input_retention (7d): a longer outage of the workers loses"),
        ("surveys", "retention_bytes", "1000000", "is cut at 1,000,000 bytes per partition"),
        ("deskpulse.cases", "segment_ms", "604800000", "segment.ms is 604,800,000, more than 3,600,000: it is compacted late"),
        ("deskpulse.panes", "segment_bytes", "1073741824", "segment.bytes is 1,073,741,824, more than 67,108,864"),
    ],
)
def test_what_is_deleted_too_soon_or_compacted_too_late_is_a_warning(name: str, key: str, value: str, words: str) -> None:
    (found,) = retention_findings(SETTINGS, SPECS, changed(name, **{key: value}))
    assert (found.level, found.subject) == (Level.WARNING, f"topic {name}")
    assert words in found.detail


@pytest.mark.parametrize("value", ["0", "1000000000"])
def test_a_log_with_a_limit_of_bytes_is_a_problem_however_large(value: str) -> None:
    found = [each for each in topic_findings(SETTINGS, SPECS, changed("deskpulse.events", retention_bytes=value)) if each.level is Level.PROBLEM]
    assert [each.detail for each in found] == [f"retention.bytes is {value}, should be -1"]


BY_PASSWORD = ClientSecurity({"security_protocol": "SASL_SSL"}, 'user "desk"')


def test_missing_rights_are_one_problem_per_topic_or_group_and_a_missing_look_at_settings_is_a_warning() -> None:
    missing = [Right("topic", "contacts", "Read"), Right("topic", "contacts", "DescribeConfigs"), Right("topic", "surveys", "DescribeConfigs")]
    found = list(access_findings(SETTINGS, BY_PASSWORD, [*missing, Right("group", "contacts", "Read")]))
    assert [(each.level, each.subject) for each in found] == [
        (Level.PROBLEM, "access to topic contacts"),
        (Level.WARNING, "access to topic surveys"),
        (Level.PROBLEM, "access to group contacts"),
    ]
    assert found[0].detail == 'user "desk" lacks the right to Read, DescribeConfigs'
    assert found[2].detail == 'user "desk" lacks the right to Read'


def test_secrets_that_everybody_may_read_are_a_warning(tmp_path: Path) -> None:
    password = written(tmp_path / "password", "secret", mode=0o644)
    kafka = dataclasses.replace(SETTINGS.kafka, security_protocol="SASL_SSL", sasl_password_file=password)
    first, second = access_findings(dataclasses.replace(SETTINGS, kafka=kafka), BY_PASSWORD, [])
    assert (first.level, first.remedy) == (Level.WARNING, f"chmod 600 {password}")
    assert second.level is Level.OK


@pytest.mark.parametrize(
    ("before", "stamp", "after", "level"),
    [
        (1_000, 1_010, 1_020, Level.OK),
        (1_000, 900, 1_020, Level.OK),
        (10_000, 1_000, 10_020, Level.PROBLEM),
        (10_000, 90_000, 10_020, Level.PROBLEM),
    ],
)
def test_clocks_may_differ_by_the_allowance(before: float, stamp: float, after: float, level: Level) -> None:
    assert clock_finding(SETTINGS, before, stamp, after).level is level


@pytest.mark.parametrize(
    ("version", "wanted", "enough"),
    [
        ("0.14.0", ">=0.14,<0.15", True),
        ("0.15.1", ">=0.14,<0.15", False),
        ("0.13.9", ">=0.14,<0.15", False),
        ("0.15.3", "==0.15.3", True),
        ("13", ">=13.0", True),
        ("1", "", True),
        ("1", "~=1", True),
    ],
)
def test_versions_are_compared_by_number(version: str, wanted: str, *, enough: bool) -> None:
    assert satisfies(version, wanted) is enough


def test_this_installation_is_sound() -> None:
    assert not [finding for finding in software_findings() if finding.level is Level.PROBLEM]

"""What the doctor concludes from what it finds."""

from __future__ import annotations

import dataclasses

import pytest

from stream_app.diagnosis.broker import topic_findings
from stream_app.diagnosis.clock import clock_finding
from stream_app.diagnosis.findings import Level, problem
from stream_app.diagnosis.software import satisfies, software_findings
from stream_app.settings import Settings
from stream_app.topics import ExistingTopic, specs_of

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

"""Whose definitions hold: those of the first worker, in every partition of both logs."""

from __future__ import annotations

import logging

import pytest
from aiokafka import TopicPartition

from models.events.canonical import Definitions
from stream_app.app import engine_settings
from stream_app.definitions import ensure_definitions, log
from stream_app.definitions.log import LOGS
from stream_app.settings import Settings, parse_settings
from stream_app.wire import canonical
from tests.support.definitions_logs import Logs, a_mark, replaced

Value = bytes
MINE = '[kafka]\nlog_partitions = 2\n[dimensions]\nqueue = ["billing"]'
OTHER = MINE.replace("billing", "orders")


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    logs = Logs()
    for name, replacement in replaced(logs).items():
        monkeypatch.setattr(log, name, replacement)
    return logs


async def ensure(settings: Settings) -> None:
    await ensure_definitions(settings, engine_settings(settings))


def encoded(settings: Settings) -> bytes:
    return canonical.encode(Definitions(1, settings.definitions()))


def everywhere(settings: Settings) -> dict[tuple[str, int], Value]:
    return {(settings.topic(log), number): encoded(settings) for log in LOGS for number in range(2)}


def lose_the_first_records(logs: Logs) -> list[TopicPartition]:
    partitions = [partition for partition, held in logs.records.items() if held]
    logs.gone |= dict.fromkeys(partitions, 1)
    return partitions


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_the_first_worker_of_an_empty_system_publishes_its_own_into_every_log(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    settings = parse_settings(MINE)
    await ensure(settings)
    assert logs.first() == everywhere(settings)
    assert warned(caplog) == []


async def test_the_next_one_with_the_same_file_writes_nothing_and_says_nothing(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    settings = parse_settings(MINE)
    await ensure(settings)
    await ensure(settings)
    assert [len(held) for held in logs.records.values() if held] == [1] * 4
    assert warned(caplog) == []


async def test_one_whose_file_differs_leaves_the_published_ones_and_says_so(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    first, other = parse_settings(MINE), parse_settings(OTHER)
    await ensure(first)
    await ensure(other)
    assert [len(held) for held in logs.records.values() if held] == [1] * 4
    assert logs.first() == everywhere(first)
    (warning,) = warned(caplog)
    assert "deskpulse.events differ from this worker's configuration; those in the log hold" in warning


async def test_settings_that_are_not_shared_are_no_difference(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    await ensure(parse_settings(MINE))
    await ensure(parse_settings(MINE + '\n[metrics]\nport = 0\n[engine]\npublish_interval = "100ms"'))
    assert warned(caplog) == []


async def test_partitions_that_a_first_worker_did_not_come_to_get_what_holds_in_the_others(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    """The first died between two writes, and one with another file comes next: all partitions must agree."""
    first, other = parse_settings(MINE), parse_settings(OTHER)
    logs.of(TopicPartition(first.topic("events"), 0)).append((None, encoded(first)))
    await ensure(other)
    assert logs.first() == everywhere(first)
    assert len(warned(caplog)) == 1


async def test_where_retention_took_the_first_records_before_any_checkpoint_nothing_is_written_or_said(
    logs: Logs, caplog: pytest.LogCaptureFixture
) -> None:
    await ensure(parse_settings(MINE))
    for partition in lose_the_first_records(logs):
        logs.of(partition).append(a_mark())
    await ensure(parse_settings(OTHER))
    assert [len(held) for held in logs.records.values() if held] == [2] * 4
    assert warned(caplog) == []


async def test_after_retention_a_checkpoint_tells_what_holds(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    first = parse_settings(MINE)
    await ensure(first)
    lose_the_first_records(logs)
    logs.checkpoint(first.topic("cases-changelog"), 0, Definitions(7, first.definitions()), offset=1)
    await ensure(first)
    assert warned(caplog) == []
    await ensure(parse_settings(OTHER))
    assert len(warned(caplog)) == 1


async def test_a_worker_whose_file_was_published_since_has_nothing_to_say(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    first, later = parse_settings(MINE), parse_settings(OTHER)
    await ensure(first)
    for held in [held for held in logs.records.values() if held]:
        held.append((None, canonical.encode(Definitions(2, later.definitions()))))
    await ensure(later)
    assert warned(caplog) == []
    await ensure(first)
    assert [record.keys for record in caplog.records if record.levelno == logging.WARNING] == ["dimensions.queue"]  # type: ignore[attr-defined]


async def test_of_two_first_workers_one_wins_in_every_partition(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    """The other one writes between this one's look at the empty logs and its own record."""
    mine, theirs = parse_settings(MINE), parse_settings(OTHER)
    logs.before_writing.append((TopicPartition(mine.topic("events"), 0), encoded(theirs)))
    await ensure(mine)
    assert logs.first() == everywhere(theirs)
    assert len(warned(caplog)) == 1


async def test_a_partition_that_still_has_its_first_record_is_looked_for(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    first = parse_settings(MINE)
    await ensure(first)
    logs.gone[TopicPartition(first.topic("events"), 0)] = 1
    await ensure(parse_settings(OTHER))
    assert len(warned(caplog)) == 1

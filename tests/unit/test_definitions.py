"""Whose definitions hold: those of the first worker, in every partition of both logs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from models.events.canonical import Definitions, Mark
from stream_app import definitions
from stream_app.definitions import LOGS, ensure_definitions
from stream_app.settings import Settings, parse_settings
from stream_app.wire import canonical

Value = bytes
MINE = '[kafka]\nlog_partitions = 2\n[dimensions]\nqueue = ["billing"]'
OTHER = MINE.replace("billing", "orders")


@dataclass
class Logs:
    """What the partitions of both logs hold. ``gone``: how many first records retention has taken, per partition."""

    records: dict[TopicPartition, list[tuple[bytes | None, Value]]] = field(default_factory=dict)
    gone: dict[TopicPartition, int] = field(default_factory=dict)

    def of(self, partition: TopicPartition) -> list[tuple[bytes | None, Value]]:
        return self.records.setdefault(partition, [])

    def first(self) -> dict[tuple[str, int], Value]:
        """The first record of each partition that has any."""
        return {(topic, number): held[0][1] for (topic, number), held in self.records.items() if held}


class Client:
    """Consumer and producer on the logs, as far as definitions need one."""

    def __init__(self, logs: Logs, **_: Any) -> None:
        self._logs = logs
        self._at: dict[TopicPartition, int] = {}

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: len(self._logs.of(partition)) for partition in partitions}

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self._logs.gone.get(partition, 0) for partition in partitions}

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self._at = dict.fromkeys(partitions, 0)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert offset >= self._logs.gone.get(partition, 0), "out of range, and there is no reset"
        self._at[partition] = offset

    async def getmany(self, partition: TopicPartition, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        at = self._at[partition]
        return {partition: [SimpleNamespace(key=key, value=value) for key, value in self._logs.of(partition)[at : at + max_records]]}

    async def send_and_wait(self, topic: str, value: bytes, *, partition: int) -> None:
        self._logs.of(TopicPartition(topic, partition)).append((None, value))


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    logs = Logs()
    for name in ("AIOKafkaConsumer", "AIOKafkaProducer"):
        monkeypatch.setattr(definitions, name, lambda **given: Client(logs, **given))
    return logs


def encoded(settings: Settings) -> bytes:
    return canonical.encode(Definitions(1, settings.definitions()))


def everywhere(settings: Settings) -> dict[tuple[str, int], Value]:
    return {(settings.topic(log), number): encoded(settings) for log in LOGS for number in range(2)}


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


async def test_the_first_worker_of_an_empty_system_publishes_its_own_into_every_log(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    settings = parse_settings(MINE)
    await ensure_definitions(settings, {})
    assert logs.first() == everywhere(settings)
    assert warned(caplog) == []


async def test_the_next_one_with_the_same_file_writes_nothing_and_says_nothing(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    settings = parse_settings(MINE)
    await ensure_definitions(settings, {})
    await ensure_definitions(settings, {})
    assert [len(held) for held in logs.records.values()] == [1] * 4
    assert warned(caplog) == []


async def test_one_whose_file_differs_leaves_the_published_ones_and_says_so(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    first, other = parse_settings(MINE), parse_settings(OTHER)
    await ensure_definitions(first, {})
    await ensure_definitions(other, {})
    assert [len(held) for held in logs.records.values()] == [1] * 4
    assert logs.first() == everywhere(first)
    (warning,) = warned(caplog)
    assert "deskpulse.events differ from this worker's configuration; those in the log hold" in warning


async def test_settings_that_are_not_shared_are_no_difference(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    await ensure_definitions(parse_settings(MINE), {})
    await ensure_definitions(parse_settings(MINE + '\n[metrics]\nport = 0\n[engine]\npublish_interval = "100ms"'), {})
    assert warned(caplog) == []


async def test_partitions_that_a_first_worker_did_not_come_to_get_what_holds_in_the_others(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    """The first died between two writes, and one with another file comes next: all partitions must agree."""
    first, other = parse_settings(MINE), parse_settings(OTHER)
    logs.of(TopicPartition(first.topic("events"), 0)).append((None, encoded(first)))
    await ensure_definitions(other, {})
    assert logs.first() == everywhere(first)
    assert len(warned(caplog)) == 1


async def test_where_retention_took_the_first_records_the_checkpoints_hold_and_nothing_is_said(
    logs: Logs, caplog: pytest.LogCaptureFixture
) -> None:
    first = parse_settings(MINE)
    await ensure_definitions(first, {})
    for partition, held in logs.records.items():
        held.append((None, canonical.encode(Mark({}, {}, 1))))
        logs.gone[partition] = 1
    await ensure_definitions(parse_settings(OTHER), {})
    assert [len(held) for held in logs.records.values()] == [2] * 4
    assert warned(caplog) == []


async def test_a_partition_that_still_has_its_first_record_is_looked_for(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    first = parse_settings(MINE)
    await ensure_definitions(first, {})
    logs.gone[TopicPartition(first.topic("events"), 0)] = 1
    await ensure_definitions(parse_settings(OTHER), {})
    assert len(warned(caplog)) == 1

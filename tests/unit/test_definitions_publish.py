"""``config publish``: a rising version that never forks, whoever writes at the same time and whoever dies between two writes."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from models.events.canonical import Definitions
from stream_app.app import engine_settings
from stream_app.definitions import DefinitionsError, DefinitionsLog, log
from stream_app.definitions.publish import Publication, compare, publish
from stream_app.settings import Settings, parse_settings
from stream_app.wire import canonical
from tests.support.definitions_logs import BrokerGoneError, Logs, a_mark, replaced

BASE = "[kafka]\nlog_partitions = 2\n[kpis]\n"
FIRST, SECOND, THIRD = (parse_settings(f'{BASE}service_level_target = "{seconds}s"') for seconds in (20, 30, 40))
DECIDES = TopicPartition("deskpulse.events", 0)


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    logs = Logs()
    for name, replacement in replaced(logs).items():
        monkeypatch.setattr(log, name, replacement)
    return logs


def opened(settings: Settings = FIRST) -> DefinitionsLog:
    engine = engine_settings(settings)
    return DefinitionsLog(engine, settings.kafka.log_partitions, vars(log)["Reader"](engine))


def record(version: int, settings: Settings) -> tuple[None, bytes]:
    return None, canonical.encode(Definitions(version, settings.definitions()))


def begun(logs: Logs, settings: Settings = FIRST) -> None:
    """The first worker has run."""
    for partition in opened().partitions:
        logs.of(partition).append(record(1, settings))


async def compared(settings: Settings) -> Publication:
    return await compare(opened(), settings.definitions())


async def published(settings: Settings) -> Publication:
    """What ``deskpulse config publish --yes`` does."""
    definitions = opened()
    publication = await compare(definitions, settings.definitions())
    if publication.due:
        await publish(definitions, publication)
    return publication


def holding(logs: Logs) -> set[tuple[int, object]]:
    """Version and service level target that hold in each partition, by the rule of the processors: a higher version counts."""
    found = set()
    for records in logs.versions().values():
        holds = records[0]
        for later in records:
            holds = later if later.version > holds.version else holds
        found.add((holds.version, holds.body["service_level_target_s"]))
    return found


async def test_a_difference_is_written_into_every_partition_of_both_logs_under_the_next_version(logs: Logs) -> None:
    begun(logs)
    publication = await published(SECOND)
    assert [(change.key, change.old, change.new) for change in publication.changes] == [("kpis.service_level_target", "20s", "30s")]
    assert {where: [found.version for found in records] for where, records in logs.versions().items()} == {
        (topic, number): [1, 2] for topic in ("deskpulse.events", "deskpulse.customer-log") for number in (0, 1)
    }
    assert holding(logs) == {(2, 30)}


async def test_no_difference_is_nothing_to_publish(logs: Logs) -> None:
    begun(logs)
    assert not (await published(FIRST)).due
    assert holding(logs) == {(1, 20)}


async def test_comparing_writes_nothing(logs: Logs) -> None:
    begun(logs)
    publication = await compared(SECOND)
    assert (publication.due, holding(logs)) == (True, {(1, 20)})


async def test_an_empty_system_gets_the_file_as_its_first_version(logs: Logs) -> None:
    publication = await published(FIRST)
    assert (publication.published, publication.changes) == (None, ())
    assert holding(logs) == {(1, 20)}
    assert len(logs.versions()) == 4


@pytest.mark.parametrize("writes", [1, 2, 3])
async def test_a_publisher_that_dies_between_two_partitions_is_completed_by_the_next_run(logs: Logs, writes: int) -> None:
    begun(logs)
    logs.writes_left = writes
    with pytest.raises(BrokerGoneError):
        await published(SECOND)
    assert holding(logs) == {(1, 20), (2, 30)}

    logs.writes_left = 1_000
    publication = await published(SECOND)

    assert (publication.changes, len(publication.lacking)) == ([], 4 - writes)
    assert holding(logs) == {(2, 30)}
    assert not (await published(SECOND)).due


async def test_what_a_dead_publisher_left_is_completed_also_by_one_with_other_definitions(logs: Logs) -> None:
    begun(logs)
    logs.writes_left = 2
    with pytest.raises(BrokerGoneError):
        await published(SECOND)
    logs.writes_left = 1_000
    await published(THIRD)
    assert holding(logs) == {(3, 40)}


async def test_of_two_publishers_at_once_one_wins_everywhere_and_the_other_is_told(logs: Logs) -> None:
    """Ours has compared; theirs writes first. Theirs then goes on, into the other partitions."""
    begun(logs)
    logs.before_writing.append((DECIDES, record(2, THIRD)[1]))
    with pytest.raises(DefinitionsError, match="another one was first, and its version 2 holds: run this again"):
        await published(SECOND)
    assert {name for (name, _), records in logs.versions().items() if len(records) > 1} == {DECIDES.topic}
    await published(THIRD)
    assert holding(logs) == {(2, 40)}


async def test_two_publishers_of_the_same_file_are_no_conflict(logs: Logs) -> None:
    begun(logs)
    logs.before_writing.append((DECIDES, record(2, SECOND)[1]))
    await published(SECOND)
    assert holding(logs) == {(2, 30)}


async def test_what_holds_is_found_behind_a_checkpoint_without_reading_the_log_from_its_beginning(logs: Logs) -> None:
    begun(logs)
    for partition in opened().partitions:
        logs.of(partition).extend([a_mark()] * 5)
        logs.gone[partition] = 4
        changelog = partition.topic.replace("events", "cases-changelog").replace("customer-log", "customers-changelog")
        logs.checkpoint(changelog, partition.partition, Definitions(5, FIRST.definitions()), offset=6)
    assert not (await compared(FIRST)).due
    await published(SECOND)
    assert {records[-1].version for records in logs.versions().values()} == {6}


async def test_the_marker_is_found_behind_a_checkpoint_that_broke_off(logs: Logs) -> None:
    begun(logs)
    logs.checkpoint("deskpulse.cases-changelog", 0, Definitions(3, SECOND.definitions()), offset=1)
    logs.of(TopicPartition("deskpulse.cases-changelog", 0)).extend([(b"rcase", b"x" * 20)] * 5_000)
    assert (await opened().holding(DECIDES)).definitions == Definitions(3, SECOND.definitions())


async def test_logs_that_lost_their_definitions_before_any_checkpoint_are_refused_with_the_way_out(logs: Logs) -> None:
    begun(logs)
    for partition in opened().partitions:
        logs.of(partition).append(a_mark())
        logs.gone[partition] = 1
    with pytest.raises(DefinitionsError, match="start a worker"):
        await compared(SECOND)


async def test_a_log_record_that_is_none_of_ours_is_named(logs: Logs) -> None:
    begun(logs)
    logs.of(DECIDES).append((None, b"garbage"))
    with pytest.raises(DefinitionsError, match=r"record 1 of deskpulse\.events 0"):
        await compared(SECOND)


async def test_a_marker_that_is_none_of_ours_is_named(logs: Logs) -> None:
    begun(logs)
    logs.of(TopicPartition("deskpulse.cases-changelog", 0)).append((b"m", b"x" * 20))
    with pytest.raises(DefinitionsError, match="state rebuild"):
        await compared(SECOND)

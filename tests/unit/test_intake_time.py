"""Intake tells the time: how far each source has come, and nothing that is not in the log yet.

Allowance 5 s; a quiet ``wall`` source is complete up to the clock minus 1 s.
"""

from __future__ import annotations

import pytest

from agents.intake import IntakeProcessor, IntakeSettings
from models.progress.sources import InputSource
from tests.support.input_records import NOW, InputRecord, record
from tests.support.intakes import CODEC, DECLARED, WALL, intake, mark

SIMULATED = (("deskpulse-simulated", b"1"),)
HOUR = 3_600_000


def test_a_mark_goes_to_every_log_partition_and_lists_all_topics() -> None:
    processor = intake("contacts-1", log_partitions=3, contacts=WALL, surveys=DECLARED)
    outputs = processor.marks(NOW, {}, 0)
    assert [output.partition for output in outputs] == [0, 1, 2]
    told = mark(outputs)
    assert (told.topics, told.sources, told.clock, told.writer) == ({"contacts": 2, "surveys": 2}, {}, NOW, "w1")


@pytest.mark.parametrize(
    ("occurred_at", "timestamp", "reached"),
    [
        (NOW, NOW, NOW - 5_000),
        (NOW - HOUR, NOW, NOW - HOUR - 5_000),  # history: event time counts
        (NOW + 60_000, NOW, NOW - 5_000),  # a sender's clock that is ahead: Kafka's counts
        (NOW, -1, NOW - 5_000),
    ],
)
def test_an_event_moves_its_source_to_the_earlier_of_its_times_minus_the_allowance(occurred_at: int, timestamp: int, reached: int) -> None:
    processor = intake("contacts-0", "contacts-1")
    processor.handle("contacts-0", [record(occurred_at=occurred_at, timestamp=timestamp)])
    assert mark(processor.marks(NOW, {}, 0)).sources == {"contacts-0": reached}


def test_progress_never_goes_back() -> None:
    processor = intake()
    processor.handle("contacts-0", [record(), record(occurred_at=NOW - HOUR)])
    assert mark(processor.marks(NOW, {"contacts-0": NOW - HOUR}, 0)).sources == {"contacts-0": NOW - 5_000}


def test_a_dead_lettered_record_moves_nothing() -> None:
    processor = intake()
    processor.handle("contacts-0", [record(case_id=None), record(occurred_at=NOW + HOUR)])
    assert mark(processor.marks(NOW, {}, 0)).sources == {}


def test_a_quiet_source_is_complete_up_to_the_clock_minus_its_delay() -> None:
    processor = intake("contacts-0", "contacts-1")
    told = mark(processor.marks(NOW + 20, {"contacts-0": NOW}, 0))
    assert told.sources == {"contacts-0": NOW - 1_000}


@pytest.mark.parametrize("skew", [5_001, -5_001, None])
def test_a_clock_that_is_off_or_unchecked_claims_nothing(skew: int | None) -> None:
    processor = intake()
    processor.handle("contacts-0", [record()])
    told = mark(processor.marks(NOW + HOUR, {"contacts-0": NOW + HOUR}, skew))
    assert told.sources == {"contacts-0": NOW - 5_000}
    assert told.clock == NOW - 5_000


def test_a_broker_that_acknowledges_marks_but_tells_no_time_leaves_the_local_clock_right() -> None:
    """First mark: the clock is unchecked. Second call: the first was acknowledged, and there still is no broker time."""
    processor = intake()
    assert mark(processor.marks(NOW, {"contacts-0": NOW}, None)).sources == {}
    told = mark(processor.marks(NOW + 200, {"contacts-0": NOW + 200}, None))
    assert (told.sources, told.clock) == ({"contacts-0": NOW - 800}, NOW + 200)


@pytest.mark.parametrize("skew", [5_000, -5_000])
def test_a_clock_within_the_allowance_is_right(skew: int) -> None:
    assert mark(intake().marks(NOW, {"contacts-0": NOW}, skew)).sources == {"contacts-0": NOW - 1_000}


def test_a_clock_that_goes_wrong_stops_the_logs_clock_but_not_the_events() -> None:
    processor = intake()
    processor.marks(NOW, {}, 0)
    assert mark(processor.marks(NOW + HOUR, {}, HOUR)).clock == NOW
    processor.handle("contacts-0", [record(occurred_at=NOW + 60_000, timestamp=NOW + 60_000)])
    assert mark(processor.marks(NOW + HOUR, {}, HOUR)).clock == NOW + 55_000


def test_only_the_senders_word_moves_a_declared_source() -> None:
    processor = intake("uci-0", uci=DECLARED)
    processor.handle("uci-0", [record()])
    assert mark(processor.marks(NOW + HOUR, {"uci-0": NOW + HOUR}, 0)).sources == {}
    processor.handle("uci-0", [record("source.progress", up_to=NOW + 40 * 24 * HOUR)])
    told = mark(processor.marks(NOW + HOUR, {}, 0))
    assert told.sources == {"uci-0": NOW + 40 * 24 * HOUR}
    assert told.clock == NOW + 40 * 24 * HOUR


def test_with_everything_declared_no_wall_clock_enters() -> None:
    assert mark(intake("uci-0", uci=DECLARED).marks(NOW, {"uci-0": NOW}, 0)).clock == 0


def test_on_a_wall_topic_the_senders_word_ends_at_the_kafka_timestamp() -> None:
    processor = intake("contacts-0", "contacts-1")
    processor.handle("contacts-0", [record("source.progress", up_to=NOW + HOUR)])
    processor.handle("contacts-1", [record("source.progress", up_to=NOW + HOUR, timestamp=-1)])
    assert mark(processor.marks(NOW, {}, 0)).sources == {"contacts-0": NOW, "contacts-1": NOW + HOUR}


def test_marks_come_when_something_changed_or_the_clock_has_ticked() -> None:
    """0 ms mark | 999 ms nothing | 999 ms an event: mark | 1998 ms nothing | 1999 ms tick: mark | clock steps back: mark"""
    processor = intake()
    assert processor.marks(NOW, {}, 0)
    assert not processor.marks(NOW + 999, {}, 0)
    processor.handle("contacts-0", [record()])
    assert processor.marks(NOW + 999, {}, 0)
    assert not processor.marks(NOW + 1_998, {}, 0)
    assert processor.marks(NOW + 1_999, {}, 0)
    assert processor.marks(NOW - HOUR, {}, 0)


def test_declared_sources_need_no_ticks() -> None:
    processor = intake("uci-0", uci=DECLARED)
    assert processor.marks(NOW, {}, 0)
    assert not processor.marks(NOW + HOUR, {}, 0)


def test_an_intake_without_sources_says_nothing() -> None:
    processor = intake()
    processor.assigned(set())
    assert processor.marks(NOW, {}, 0) == []


def test_of_a_source_that_is_no_longer_owned_nothing_is_kept() -> None:
    processor = intake("contacts-0", "contacts-1")
    processor.handle("contacts-0", [record()])
    processor.handle("contacts-1", [record()])
    processor.assigned({"contacts-1"})
    assert mark(processor.marks(NOW, {"contacts-0": NOW}, 0)).sources == {"contacts-1": NOW - 5_000}
    processor.assigned({"contacts-0", "contacts-1"})
    assert mark(processor.marks(NOW, {}, 0)).sources == {"contacts-1": NOW - 5_000}


def test_a_source_that_is_not_owned_is_written_but_moves_nothing() -> None:
    processor = intake("contacts-0")
    records = [record(), record("source.progress", up_to=NOW)]
    assert len(processor.handle("contacts-1", records)) == 1
    assert mark(processor.marks(NOW, {}, 0)).sources == {}


def test_a_new_assignment_is_told_at_once() -> None:
    processor = intake()
    processor.marks(NOW, {}, 0)
    processor.assigned({"contacts-0"})
    assert processor.marks(NOW, {}, 0)


def test_simulated_is_said_for_a_minute_after_the_last_such_record() -> None:
    processor = intake()
    assert not mark(processor.marks(NOW, {}, 0)).simulated
    processor.handle("contacts-0", [InputRecord(b"{", headers=(("other", b""),))])
    assert not processor.marks(NOW, {}, 0)
    processor.handle("contacts-0", [InputRecord(b"{", headers=SIMULATED)])
    assert mark(processor.marks(NOW, {}, 0)).simulated
    assert mark(processor.marks(NOW + 59_999, {}, 0)).simulated
    assert not mark(processor.marks(NOW + 60_000, {}, 0)).simulated


def test_simulated_is_said_for_good_of_a_replay_without_a_clock() -> None:
    processor = intake("uci-0", uci=DECLARED)
    processor.handle("uci-0", [InputRecord(b"{", headers=SIMULATED)])
    assert mark(processor.marks(NOW, {}, 0)).simulated
    processor.handle("uci-0", [record("source.progress", up_to=NOW)])
    assert mark(processor.marks(NOW + HOUR, {}, 0)).simulated


class TestSourcesTooFarAhead:
    """At most 6 h of event time between a source that is read and the slowest one that still has records."""

    def test_a_source_more_than_the_stretch_ahead_of_the_slowest_is_paused(self) -> None:
        processor = intake("a-0", "b-0", a=WALL, b=DECLARED)
        processor.handle("a-0", [record(occurred_at=NOW)])
        processor.handle("b-0", [record(occurred_at=NOW - 6 * HOUR - 1)])
        assert processor.paused() == {"a-0"}
        processor.handle("b-0", [record(occurred_at=NOW - 6 * HOUR)])
        assert processor.paused() == set()

    def test_nobody_waits_for_a_source_at_its_end(self) -> None:
        processor = intake("a-0", "b-0", a=WALL, b=DECLARED)
        processor.handle("a-0", [record()])
        processor.handle("b-0", [record(occurred_at=NOW - 7 * HOUR)])
        processor.marks(NOW, {"b-0": NOW}, None)
        assert processor.paused() == set()
        processor.handle("b-0", [record(occurred_at=NOW - 7 * HOUR)])
        assert processor.paused() == {"a-0"}

    def test_nobody_waits_for_a_source_without_events(self) -> None:
        processor = intake("a-0", "b-0", a=WALL, b=WALL)
        processor.handle("a-0", [record()])
        processor.handle("b-0", [InputRecord(b"{")])
        assert processor.paused() == set()

    def test_nobody_waits_for_a_source_that_went_elsewhere(self) -> None:
        processor = intake("a-0", "b-0", a=WALL, b=WALL)
        processor.handle("a-0", [record()])
        processor.handle("b-0", [record(occurred_at=NOW - 7 * HOUR)])
        processor.assigned({"a-0"})
        assert processor.paused() == set()

    def test_all_at_their_ends_none_is_paused(self) -> None:
        processor = intake("a-0", "b-0", a=WALL, b=WALL)
        processor.handle("a-0", [record()])
        processor.handle("b-0", [record(occurred_at=NOW - 7 * HOUR)])
        processor.marks(NOW, {"a-0": NOW, "b-0": NOW}, 0)
        assert processor.paused() == set()


def test_names_of_sources_may_hold_dashes() -> None:
    processor = IntakeProcessor(IntakeSettings({"call-centre": InputSource(2)}), CODEC)
    processor.assigned({"call-centre-1"})
    processor.handle("call-centre-1", [record()])
    assert mark(processor.marks(NOW, {}, 0)).sources == {"call-centre-1": NOW - 5_000}

"""Intake over several sources: one order by event time, as far as each source is."""

from __future__ import annotations

from agents.intake import IntakeProcessor
from agents.ports import Output
from tests.support.input_records import NOW, InputRecord, record
from tests.support.intakes import DECLARED, WALL, dead_letters, events, intake, mark

NOTHING: frozenset[str] = frozenset()
BAD = InputRecord(b"{")


def two_sources() -> IntakeProcessor:
    return intake("a-0", "b-0", a=WALL, b=DECLARED)


def at(second: int, event_id: str = "", type_name: str = "message.customer") -> InputRecord:
    return record(type_name, occurred_at=NOW + second * 1_000, event_id=event_id or f"e{second}", contact_id="k1")


def declared(second: int) -> InputRecord:
    return record("source.progress", up_to=NOW + second * 1_000)


def ids(outputs: list[Output]) -> list[str]:
    return [event.event_id for event in events(outputs)]


def test_what_several_sources_have_brought_comes_out_in_the_order_of_event_time() -> None:
    """
    a-0   1     4 5
    b-0     2 3     6
    """
    waiting = {"a-0": [at(1), at(4), at(5)], "b-0": [at(2), at(3), at(6)]}
    outputs, taken = two_sources().handle_together(waiting, NOTHING, 100)
    assert ids(outputs) == ["e1", "e2", "e3", "e4", "e5", "e6"]
    assert taken == {"a-0": 3, "b-0": 3}


def test_a_source_that_is_out_of_order_itself_stays_so() -> None:
    """
    a-0       5 1     read in this order
    b-0     3
    """
    outputs, _ = two_sources().handle_together({"a-0": [at(5), at(1)], "b-0": [at(3)]}, NOTHING, 100)
    assert ids(outputs) == ["e3", "e5", "e1"]


def test_events_of_one_instant_come_in_the_order_of_a_case() -> None:
    """All at once; a: closed, message, b: opened, resolved"""
    waiting = {
        "a-0": [at(1, "closed", "case.closed"), at(1, "message")],
        "b-0": [at(1, "opened", "contact.opened"), at(1, "resolved", "case.resolved")],
    }
    outputs, _ = two_sources().handle_together(waiting, NOTHING, 100)
    assert ids(outputs) == ["opened", "message", "resolved", "closed"]


def test_events_of_one_instant_and_type_keep_the_order_in_which_they_were_read() -> None:
    outputs, _ = two_sources().handle_together({"a-0": [at(1, "x"), at(1, "y")], "b-0": [at(1, "w")]}, NOTHING, 100)
    assert ids(outputs) == ["x", "y", "w"]


def test_nothing_is_taken_past_the_end_of_a_source_of_which_more_is_to_come() -> None:
    """
    a-0   1   2 ···       more is to come, from 2 on
    b-0   1   2   3
    """
    waiting = {"a-0": [at(1, "a1"), at(2, "a2")], "b-0": [at(1, "b1"), at(2, "b2"), at(3, "b3")]}
    outputs, taken = two_sources().handle_together(waiting, {"a-0"}, 100)
    assert ids(outputs) == ["a1", "b1", "a2", "b2"]
    assert taken == {"a-0": 2, "b-0": 2}


def test_the_end_of_a_source_that_has_no_more_stops_nobody() -> None:
    outputs, taken = two_sources().handle_together({"a-0": [at(1)], "b-0": [at(2), at(3)]}, {"b-0"}, 100)
    assert ids(outputs) == ["e1", "e2", "e3"]
    assert taken == {"a-0": 1, "b-0": 2}


def test_a_source_that_has_brought_nothing_stops_nobody() -> None:
    outputs, taken = two_sources().handle_together({"a-0": [], "b-0": [at(2)]}, {"a-0"}, 100)
    assert ids(outputs) == ["e2"]
    assert taken == {"a-0": 0, "b-0": 1}


def test_no_more_is_taken_than_asked_for_but_for_the_rest_of_an_instant() -> None:
    """
    a-0   1   2
    b-0       2   3      two are asked for, the third is of the second's instant
    """
    waiting = {"a-0": [at(1, "a1"), at(2, "a2")], "b-0": [at(2, "b2"), at(3, "b3")]}
    outputs, taken = two_sources().handle_together(waiting, NOTHING, 2)
    assert ids(outputs) == ["a1", "a2", "b2"]
    assert taken == {"a-0": 2, "b-0": 1}


def test_what_is_not_taken_is_neither_counted_nor_told() -> None:
    """The record after the last one taken was decoded, to know its time."""
    processor = two_sources()
    outputs, taken = processor.handle_together({"a-0": [at(1), BAD], "b-0": [at(9)]}, NOTHING, 1)
    assert (ids(outputs), dead_letters(outputs), taken) == (["e1"], [], {"a-0": 1, "b-0": 0})
    assert processor.counters.received == processor.counters.accounted_for == 1
    assert mark(processor.marks(NOW, {}, 0)).sources == {"a-0": NOW + 1_000 - 6_000}


def test_dead_letters_and_declarations_wait_for_no_other_source() -> None:
    """
    a-0         1
    b-0   bad declared 9
    """
    processor = two_sources()
    outputs, taken = processor.handle_together({"a-0": [at(1)], "b-0": [BAD, declared(0), at(9)]}, NOTHING, 2)
    assert [letter["reason"] for letter in dead_letters(outputs)] == ["not_json"]
    assert (ids(outputs), taken) == ([], {"a-0": 0, "b-0": 2})
    assert mark(processor.marks(NOW, {}, 0)).sources == {"b-0": NOW}


def test_a_declaration_comes_after_every_event_before_it_in_its_source() -> None:
    """
    a-0     1
    b-0         5 declared
    """
    processor = two_sources()
    _, taken = processor.handle_together({"a-0": [at(1)], "b-0": [at(5), declared(5)]}, NOTHING, 1)
    assert taken == {"a-0": 1, "b-0": 0}
    assert "b-0" not in mark(processor.marks(NOW, {}, 0)).sources
    processor.handle_together({"b-0": [at(5), declared(5)]}, NOTHING, 100)
    assert mark(processor.marks(NOW + 1, {}, 0)).sources["b-0"] == NOW + 5_000

"""Two events of one id, a row that is full, and a step that fails."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from models.cases import fold as fold_module
from models.cases.items import FIELDS, TYPES, event_of, item_of
from models.durability.keyed import RecordFailedError
from tests.support.case_events import RULES, Case, Desk, happened, opened, priority, replied, resolved


def test_the_same_content_again_is_a_duplicate() -> None:
    case = Case(opened(0))
    taken = case.tell(opened(0, origin="contacts-1@99"))
    assert (taken.refused, taken.changed) == ("duplicates", False)
    assert len(case.row.items) == 1


def test_the_very_same_record_again_is_redelivered() -> None:
    assert Case(opened(0)).tell(opened(0)).refused == "redelivered"


def test_of_two_contents_the_earlier_counts_whichever_came_first() -> None:
    early, late = priority(5, "urgent"), priority(8, "low")
    late.event_id = early.event_id
    first = Case(opened(0), early)
    assert (first.tell(late).refused, first.tell(late).changed) == ("conflicts", False)
    second = Case(opened(0), late)
    taken = second.tell(early)
    assert (taken.refused, taken.changed, taken.loser) == ("conflicts", True, item_of(late))
    assert first.row.facts == second.row.facts
    assert second.row.size == first.row.size


def test_of_three_contents_at_one_instant_the_same_one_counts_in_every_order() -> None:
    rivals = [happened("case.priority_changed", 5, event_id="x", priority=name) for name in ("urgent", "normal", "low")]
    kept = set()
    for arrival in permutations(rivals):
        case = Case(opened(0), *arrival)
        assert len(case.row.items) == 2
        kept.add(case.row.items[1])
    assert len(kept) == 1


def test_the_event_that_does_not_count_is_dead_lettered_by_its_origin() -> None:
    late, early = priority(8, "low"), priority(5, "urgent")
    late.event_id = early.event_id
    desk = Desk().tell(opened(0), late, early)
    (letter,) = desk.said("dead-letters")
    assert letter["reason"] == "conflicting_duplicate"
    assert letter["item"] == item_of(late)
    assert desk.state.counters == {"applied": 2, "conflicts": 1}


def test_a_losing_newcomer_is_dead_lettered_and_changes_nothing() -> None:
    late, early = priority(8, "low"), priority(5, "urgent")
    late.event_id = early.event_id
    desk = Desk().tell(opened(0), early, late)
    assert [letter["item"] for letter in desk.said("dead-letters")] == [item_of(late)]


def test_a_duplicate_is_counted_and_not_dead_lettered() -> None:
    desk = Desk().tell(opened(0), opened(0, origin="elsewhere-0@1"), opened(0))
    assert desk.state.counters == {"applied": 1, "duplicates": 1, "redelivered": 1}
    assert desk.said("dead-letters") == []


def test_a_full_row_refuses_new_events_and_still_knows_its_duplicates() -> None:
    rules = replace(RULES, row_cap=100)
    case = Case(opened(0), rules=rules)
    assert case.row.size > 100
    taken = case.tell(resolved(9))
    assert (taken.refused, taken.changed) == ("row_full", False)
    assert case.tell(opened(0)).refused == "redelivered"
    assert "resolved" not in case.counts


def test_a_full_row_is_counted_by_the_machine() -> None:
    desk = Desk({"row_cap_bytes": 10}).tell(opened(0), replied(5))
    assert desk.state.counters == {"applied": 1, "row_full": 1}
    assert desk.said("dead-letters") == []


def test_a_row_with_many_events_finds_its_duplicates_too() -> None:
    case = Case(*(replied(at) for at in range(40)))
    assert case.tell(replied(17)).refused == "redelivered"
    assert case.tell(replied(41)).changed
    assert case.tell(replied(41)).refused == "redelivered"


def test_what_is_read_again_is_counted_as_it_was() -> None:
    desk = Desk().tell(opened(0))
    logic, row = desk.logic, desk.state.rows["case-1"]
    assert logic.counted_before(row, opened(0)) == "applied"
    assert logic.counted_before(row, opened(0, origin="elsewhere-0@1")) == "duplicates"
    assert logic.counted_before(None, opened(0)) == "applied"


@pytest.mark.replaces
@pytest.mark.parametrize("at", [9, 3], ids=["in order", "out of order"])
def test_an_event_that_cannot_be_handled_leaves_the_case_as_it_was(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("boom")

    desk = Desk().tell(opened(0), replied(5))
    before = dict(desk.state.rows["case-1"].facts)
    steps = list(fold_module._STEPS)
    steps[TYPES.index("case.resolved")] = fail
    with monkeypatch.context() as patched:
        patched.setattr(fold_module, "_STEPS", tuple(steps))
        desk.tell(resolved(at))
    assert desk.state.rows["case-1"].facts == before
    assert desk.said("dead-letters")[0]["reason"] == "handler_error"
    desk.tell(resolved(10))
    assert desk.state.rows["case-1"].facts == Case(opened(0), replied(5), resolved(10)).row.facts


def test_a_type_of_a_later_version_fails_alone() -> None:
    desk = Desk().tell(opened(0), happened("case.teleported", 5))
    assert desk.state.counters == {"applied": 1, "handler_errors": 1}


@pytest.mark.replaces
def test_a_timer_that_cannot_be_handled_leaves_the_case_and_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("boom")

    desk = Desk().tell(opened(0))
    row = desk.state.rows["case-1"]
    with monkeypatch.context() as patched:
        patched.setattr(fold_module.CaseFold, "settle", fail)
        with pytest.raises(RecordFailedError):
            desk.logic.wake("case-1", row, 1, desk.state.progress)
    assert row.fold is None
    assert row.warm(desk.logic.rules, desk.state.dimensions).opened_at is not None


@pytest.mark.parametrize("event_type", [name for name, _ in FIELDS])
def test_an_item_gives_its_event_back(event_type: str) -> None:
    event = happened(event_type, 5, customer_id="ann")
    assert event_of(item_of(event), event.case_id) == event

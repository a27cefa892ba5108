"""The life of a case: status, resolution, reopening, closing, escalation, first reply, and its cohort."""

from __future__ import annotations

import pytest

from models.panes.histogram import key
from tests.support.case_events import (
    CELL,
    DAY,
    Case,
    answered,
    at_ms,
    closed,
    escalated,
    opened,
    priority,
    reopened,
    replied,
    resolved,
    status,
)


def balances(case: Case) -> dict[str, list[tuple[float, int]]]:
    """Of each status the changes of its balance: (seconds, weight)."""
    found: dict[str, list[tuple[float, int]]] = {}
    for (name, at, _), weight in sorted(case.row.facts.items()):
        if name.startswith("open_cases:"):
            found.setdefault(name.partition(":")[2], []).append(((at - at_ms(0)) / 1000, weight))
    return found


# -- status -----------------------------------------------------------------------------------------------


def test_each_status_is_entered_and_left() -> None:
    case = Case(opened(0), status(5, "on_hold"), status(6, "on_hold"), status(9, "pending_customer"), resolved(12), closed(15))
    assert balances(case) == {
        "open": [(0, 1), (5, -1)],
        "on_hold": [(5, 1), (9, -1)],
        "pending_customer": [(9, 1), (12, -1)],
        "resolved": [(12, 1), (15, -1)],
    }


def test_a_resolved_case_takes_no_status_but_open() -> None:
    case = Case(opened(0), resolved(5), status(6, "on_hold"))
    assert balances(case)["resolved"] == [(5, 1)]
    assert "reopened" not in case.counts


def test_a_closed_case_takes_no_status_at_all() -> None:
    case = Case(opened(0), closed(5), status(6, "open"))
    assert balances(case) == {"open": [(0, 1), (5, -1)]}
    assert "reopened" not in case.counts


# -- resolution -------------------------------------------------------------------------------------------


def test_a_second_resolution_without_a_reopening_is_ignored() -> None:
    assert Case(opened(0), resolved(5), resolved(8)).instants("resolved") == [5]


def test_closing_a_case_that_was_never_resolved_resolves_it() -> None:
    case = Case(opened(0), closed(5), resolved(6), closed(7))
    assert (case.instants("resolved"), case.instants("closed")) == ([5], [5])


def test_closing_a_resolved_case_does_not_resolve_it_again_and_a_reopened_one_can_be_closed_again() -> None:
    case = Case(opened(0), resolved(5), closed(6), reopened(8), closed(9))
    assert (case.instants("resolved"), case.instants("closed")) == ([5, 9], [6, 9])


def test_the_first_resolution_is_never_changed_by_a_reopening() -> None:
    case = Case(opened(0), resolved(5), reopened(6), resolved(60))
    assert case.instants(key("first_resolution", 5_000)) == [5]
    assert case.instants("resolved") == [5, 60]
    assert case.dated("cohort_resolved") == [(0, CELL)]


def test_the_cohort_keeps_the_cell_of_the_opening() -> None:
    case = Case(opened(0), priority(2, "urgent"), escalated(3, to_team="red"), resolved(5), reopened(9))
    for name in ("cohort_resolved", "cohort_escalated", "cohort_reopened"):
        assert case.dated(name) == [(0, CELL)]


# -- reopening --------------------------------------------------------------------------------------------


def test_open_after_resolved_is_a_reopening_where_the_source_sends_none() -> None:
    case = Case(opened(0), resolved(5), status(9, "open"))
    assert case.instants("reopened") == [9]
    assert balances(case)["open"] == [(0, 1), (5, -1), (9, 1)]


def test_open_after_resolved_is_no_reopening_where_the_source_says_so_itself() -> None:
    #    resolved ●──● open ──● case.reopened, in order: what was taken for a reopening no longer is one
    case = Case(opened(0), resolved(5), status(9, "open"))
    case.tell(reopened(10))
    assert case.instants("reopened") == [10]


def test_a_reopening_that_arrives_before_its_status_change_counts_alone() -> None:
    case = Case(opened(0), reopened(10), resolved(5), status(9, "open"), status(11, "open"))
    assert case.instants("reopened") == [10]


def test_every_explicit_reopening_counts_from_any_status_also_without_an_opening() -> None:
    assert Case(opened(0), reopened(5), closed(6), reopened(7)).instants("reopened") == [5, 7]
    assert Case(reopened(5)).counts == {"reopened": 1}


@pytest.mark.parametrize(("at", "counted"), [(5, 0), (6, 1), (5 + 7 * DAY, 1), (6 + 7 * DAY, 0)])
def test_the_cohort_is_reopened_within_seven_days_after_its_first_resolution(at: float, counted: int) -> None:
    case = Case(opened(0), resolved(5), reopened(at))
    assert case.counts["cohort_reopened"] == counted


def test_the_cohort_is_reopened_once() -> None:
    assert Case(opened(0), resolved(5), reopened(6), reopened(7)).counts["cohort_reopened"] == 1


# -- escalation -------------------------------------------------------------------------------------------


def test_every_escalation_counts_and_the_cohort_once() -> None:
    case = Case(opened(0), escalated(5), escalated(6))
    assert (case.counts["escalated"], case.counts["cohort_escalated"]) == (2, 1)


def test_a_resolution_is_escalated_if_an_escalation_stands_before_it() -> None:
    case = Case(opened(0), resolved(5), escalated(6), reopened(7), resolved(8))
    assert case.instants("resolved_escalated") == [8]


# -- first reply ------------------------------------------------------------------------------------------


def test_only_a_public_reply_of_a_person_is_a_first_reply() -> None:
    case = Case(opened(0), replied(1, automated=True), replied(2, public=False), replied(3), replied(4))
    assert case.dated(key("first_reply", 3_000)) == [(3, CELL)]
    assert sum(count for name, count in case.counts.items() if name.startswith("first_reply")) == 1


def test_an_answered_contact_is_a_first_reply() -> None:
    assert Case(opened(0), answered(7), replied(9)).instants(key("first_reply", 7_000)) == [7]


def test_an_earlier_reply_that_comes_late_takes_the_place_of_the_first() -> None:
    case = Case(opened(0), replied(9))
    case.tell(replied(3))
    assert case.instants(key("first_reply", 9_000)) == []
    assert case.instants(key("first_reply", 3_000)) == [3]


# -- what is said of it --------------------------------------------------------------------------------------


def test_a_resolution_that_ceases_to_count_and_counts_again_is_said_once() -> None:
    """Arrival: resolved 12 │ resolved 5, so 12 is a second one │ reopened 9 between them, so 12 counts again, now in a queue │"""
    case, said = Case(), []
    for number, event in enumerate((resolved(12), resolved(5), opened(0), reopened(9))):
        said += [step[:2] for step in case.tell(event).announced]
        if number == 1:
            assert {step[:2] for step in case.row.withdrawn} == {("resolved", at_ms(12))}
            case.stored_and_back()

    assert sorted(said) == sorted([("resolved", at_ms(12)), ("resolved", at_ms(5)), ("opened", at_ms(0)), ("reopened", at_ms(9))])
    assert case.row.withdrawn == frozenset()
    assert case.instants("resolved") == [5, 12]

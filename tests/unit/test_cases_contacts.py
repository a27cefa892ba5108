"""Contacts of a case: offered, answered, the queue, handle time, transfers."""

from __future__ import annotations

import pytest

from models.panes.histogram import key
from tests.support.case_events import Case, abandoned, answered, callback, called, ended, opened, priority, transferred

PHONE = ("billing", "phone", "normal", "unset")


def queue_facts(case: Case) -> dict[str, int]:
    return {name: count for name, count in case.counts.items() if name.startswith("queue_")}


# -- offered and answered ---------------------------------------------------------------------------------


def test_a_contact_is_offered_once_and_answered_once() -> None:
    case = Case(opened(0), answered(3), opened(5), answered(8))
    assert (case.instants("offered"), case.instants("answered")) == ([0], [3])


@pytest.mark.parametrize("gone", [abandoned(3), callback(3)])
def test_a_contact_that_was_given_up_before_is_not_answered_later(gone: object) -> None:
    case = Case(called(0), gone, answered(8))  # type: ignore[arg-type]
    assert "answered" not in case.counts
    assert case.instants(key("first_reply", 8_000)) == [8]  # it still is a reply


@pytest.mark.parametrize("gone", [abandoned(3, "c2"), callback(3, "c2")])
def test_a_contact_given_up_before_it_was_opened_is_not_answered_later(gone: object) -> None:
    #    c1 opened ●───● c2 gone ──● c2 opened ──● c2 answered: the queue counts from its opening, `answered` from its first outcome
    case = Case(opened(0), gone, called(5, "c2"), answered(8, "c2"))  # type: ignore[arg-type]
    assert "answered" not in case.counts
    assert case.counts["queue_answered"] == 1


def test_a_contact_has_its_own_cell_and_the_priority_of_its_case() -> None:
    case = Case(opened(0), called(5, "c2", queue="orders", team="red"), priority(6, "urgent"), answered(8, "c2"))
    assert case.dated("answered") == [(8, ("orders", "phone", "urgent", "red"))]


def test_a_contact_that_names_nothing_takes_what_its_case_has_at_that_point() -> None:
    case = Case(called(0), transferred(2, "orders", to_team="red"), opened(5, "c2", queue="", channel="", team=""))
    assert case.dated("offered")[1] == (5, ("orders", "phone", "normal", "red"))
    assert case.pass_to(60).instants("queue_reached") == [20, 25]  # phone, so it stands in the queue too


def test_a_contact_without_an_opening_has_the_cell_of_its_case() -> None:
    case = Case(opened(0), answered(5, "c9"))
    assert case.dated("answered") == [(5, ("billing", "email", "normal", "unset"))]


# -- transfers --------------------------------------------------------------------------------------------


def test_a_transfer_is_counted_where_it_comes_from_and_takes_its_contact_along() -> None:
    case = Case(opened(0), called(2, "c2"), transferred(5, "orders", "c2", to_team="blue"), answered(8, "c2"), answered(9, "c1"))
    assert case.dated("transferred") == [(5, ("billing", "email", "normal", "unset"))]
    assert case.dated("answered") == [(8, ("orders", "phone", "normal", "blue")), (9, ("billing", "email", "normal", "unset"))]


def test_a_transfer_without_a_team_leaves_the_team_and_one_of_an_unknown_contact_moves_the_case() -> None:
    case = Case(opened(0, team="red"), transferred(5, "orders", "c9"), transferred(6, "returns"))
    assert case.dated("transferred") == [(5, ("billing", "email", "normal", "red")), (6, ("orders", "email", "normal", "red"))]


# -- queue ------------------------------------------------------------------------------------------------


def test_an_answer_within_the_target_counts_for_the_service_level() -> None:
    #    opened ●────────── T = 20 s ──● answered
    case = Case(called(0), answered(20)).pass_to(60)
    assert queue_facts(case) == {"queue_answered": 1, "queue_answered_within": 1}
    assert case.dated(key("speed_of_answer", 20_000)) == [(20, PHONE)]
    assert case.counts["speed_of_answer_ms"] == 20_000


def test_an_answer_after_the_target_has_reached_it() -> None:
    case = Case(called(0), answered(20.001)).pass_to(60)
    assert queue_facts(case) == {"queue_answered": 1, "queue_reached": 1}
    assert case.dated("queue_reached") == [(20, PHONE)]


@pytest.mark.parametrize(
    ("at", "facts"),
    [
        (4.999, {"queue_abandoned_short": 1, "queue_abandoned_within": 1}),
        (5, {"queue_abandoned": 1, "queue_abandoned_within": 1}),
        (20, {"queue_abandoned": 1, "queue_abandoned_within": 1}),
        (21, {"queue_abandoned": 1, "queue_reached": 1}),
    ],
)
def test_an_abandonment_is_short_within_or_past_the_target(at: float, facts: dict[str, int]) -> None:
    assert queue_facts(Case(called(0), abandoned(at)).pass_to(60)) == facts


def test_a_callback_leaves_the_queue_without_a_fact() -> None:
    assert queue_facts(Case(called(0), callback(6)).pass_to(60)) == {}
    assert queue_facts(Case(called(0), callback(26)).pass_to(60)) == {"queue_reached": 1}


def test_only_the_first_outcome_counts() -> None:
    case = Case(called(0), answered(6), abandoned(7), callback(8), answered(9)).pass_to(60)
    assert queue_facts(case) == {"queue_answered": 1, "queue_answered_within": 1}
    assert queue_facts(Case(called(0), callback(6), abandoned(7), answered(8)).pass_to(60)) == {}
    assert queue_facts(Case(called(0), abandoned(6), callback(7)).pass_to(60)) == {"queue_abandoned": 1, "queue_abandoned_within": 1}


def test_an_unanswered_contact_has_reached_the_target_only_when_the_watermark_says_so() -> None:
    case = Case(called(0))
    assert "queue_reached" not in case.pass_to(19.999).counts
    assert case.pass_to(20).instants("queue_reached") == [20]


def test_a_reached_target_carries_the_cell_of_that_instant() -> None:
    #    opened ●───● orders ───┊ T ───● returns
    case = Case(called(0), transferred(10, "orders"), transferred(30, "returns")).pass_to(60)
    assert case.dated("queue_reached") == [(20, ("orders", "phone", "normal", "unset"))]


def test_a_late_answer_in_time_takes_the_reached_target_back() -> None:
    case = Case(called(0)).pass_to(60)
    case.tell(answered(15))
    assert queue_facts(case) == {"queue_answered": 1, "queue_answered_within": 1}


def test_no_queue_facts_for_a_channel_that_is_not_queued() -> None:
    assert queue_facts(Case(opened(0), answered(5), abandoned(9, "c2")).pass_to(60)) == {}


def test_no_queue_facts_for_a_contact_without_an_opening() -> None:
    assert queue_facts(Case(abandoned(5), callback(6, "c2"), answered(7, "c3")).pass_to(60)) == {}


@pytest.mark.parametrize("outcome", [answered, abandoned, callback])
def test_a_wait_that_would_be_negative_is_clamped_and_counted(outcome: object) -> None:
    #    outcome ●────● opening: moved to the front, so the outcome comes after it
    case = Case(outcome(3), called(9)).pass_to(60)  # type: ignore[operator]
    assert case.dated("clamped")[0] == (3, PHONE)
    assert "speed_of_answer_ms" not in case.counts
    assert "queue_reached" not in case.counts


# -- handle time ------------------------------------------------------------------------------------------


def test_handle_time_is_the_sum_of_its_parts() -> None:
    case = Case(opened(0), answered(5), ended(50, talk_s=10.0, after_contact_s=2.5))
    assert case.dated(key("handle_time", 12_500)) == [(50, ("billing", "email", "normal", "unset"))]
    assert case.counts["handle_time_ms"] == 12_500


def test_without_parts_handle_time_runs_from_the_answer() -> None:
    assert Case(opened(0), answered(5), ended(50)).counts["handle_time_ms"] == 45_000


def test_without_parts_and_without_an_answer_there_is_no_handle_time() -> None:
    assert not [name for name in Case(opened(0), ended(50)).counts if name.startswith("handle_time")]


def test_only_the_first_end_of_a_contact_counts_and_zero_is_a_duration() -> None:
    case = Case(opened(0), ended(50, talk_s=0.0), ended(60, talk_s=9.0))
    assert case.counts["handle_time:z"] == 1
    assert "handle_time_ms" not in case.counts


def test_what_time_has_decided_about_a_contact_that_comes_late_counts_with_it() -> None:
    #    c1 opened ●──── c2 called ●──── due ────▷ watermark, and only now c2 arrives
    case = Case(opened(0)).pass_to(10 * 60)
    case.tell(called(60, "c2"))
    assert case.instants("queue_reached") == [80]
    assert case.row.facts == Case(opened(0), called(60, "c2")).pass_to(10 * 60).row.facts

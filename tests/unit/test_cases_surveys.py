"""Surveys: the last response of each survey counts, per route."""

from __future__ import annotations

import pytest

from tests.support.case_events import CELL, Case, opened, priority, survey_answered, survey_sent

URGENT = ("billing", "email", "urgent", "unset")


def survey_facts(case: Case) -> dict[str, int]:
    return {name: count for name, count in case.counts.items() if name.partition("_")[0] in {"survey", "csat", "nps", "ces"}}


@pytest.mark.parametrize(
    ("kind", "score", "facts"),
    [
        ("csat", 5, {"csat_responses:mail": 1, "csat_top2:mail": 1}),
        ("csat", 4, {"csat_responses:mail": 1, "csat_top2:mail": 1}),
        ("csat", 3, {"csat_responses:mail": 1}),
        ("nps", 9, {"nps_responses:mail": 1, "nps_promoters:mail": 1}),
        ("nps", 8, {"nps_responses:mail": 1}),
        ("nps", 7, {"nps_responses:mail": 1}),
        ("nps", 6, {"nps_responses:mail": 1, "nps_detractors:mail": 1}),
        ("ces", 5, {"ces_responses:mail": 1, "ces_sum:mail": 5_000, "ces_low_effort:mail": 1}),
        ("ces", 4.5, {"ces_responses:mail": 1, "ces_sum:mail": 4_500}),
    ],
)
def test_what_a_score_counts_for(kind: str, score: float, facts: dict[str, int]) -> None:
    assert survey_facts(Case(survey_answered(5, score, kind))) == facts


def test_a_response_is_dated_where_it_was_given_and_the_return_where_the_survey_was_sent() -> None:
    case = Case(opened(0), survey_sent(2), priority(3, "urgent"), survey_answered(5, 5))
    assert case.dated("csat_responses:mail") == [(5, URGENT)]
    assert case.dated("survey_sent:csat:mail") == case.dated("survey_returned:csat:mail") == [(2, CELL)]


def test_a_later_response_replaces_the_earlier_one_and_is_returned_once() -> None:
    case = Case(opened(0), survey_sent(2), survey_answered(5, 5), survey_answered(8, 1))
    assert survey_facts(case) == {"survey_sent:csat:mail": 1, "survey_returned:csat:mail": 1, "csat_responses:mail": 1}
    assert case.instants("csat_responses:mail") == [8]


def test_an_earlier_response_that_comes_late_replaces_nothing() -> None:
    case = Case(survey_answered(8, 1), survey_answered(5, 5))
    assert survey_facts(case) == {"csat_responses:mail": 1}


def test_only_the_first_sending_of_a_survey_counts() -> None:
    assert Case(survey_sent(2), survey_sent(4)).instants("survey_sent:csat:mail") == [2]


def test_a_response_dated_before_its_sending_is_returned_all_the_same() -> None:
    assert Case(survey_answered(2, 5), survey_sent(4)).instants("survey_returned:csat:mail") == [4]


def test_surveys_are_kept_apart_and_unlisted_routes_together() -> None:
    case = Case(survey_answered(2, 5, survey="s1", route="sms"), survey_answered(3, 5, survey="s2", route="fax"))
    assert (case.counts["csat_responses:sms"], case.counts["csat_responses:other"]) == (1, 1)

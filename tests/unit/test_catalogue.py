"""Every entry of the catalogue on numbers computed by hand: another formula gives another number."""

from __future__ import annotations

from math import sqrt

import pytest

from models.catalogue.formulas import Percentile
from models.catalogue.registry import BY_ID, CATALOGUE, evaluate, with_window
from models.catalogue.values import KpiValue
from models.panes.histogram import key
from models.panes.pane import merge, nested
from models.rollup.rows import signature

PANE: dict[str, int] = {
    "offered": 1100,
    "opened": 900,
    "resolved": 800,
    "reopened": 32,
    "closed": 700,
    "no_customer": 17,
    "clamped": 3,
    "answered": 1000,
    "queue_answered": 1000,
    "queue_answered_within": 860,
    "queue_abandoned": 50,
    "queue_abandoned_short": 10,
    "queue_abandoned_within": 20,
    "queue_reached": 180,
    "speed_of_answer_ms": 11_500_000,
    "handle_time_ms": 900_000,
    "transferred": 250,
    "escalated": 70,
    "cohort_escalated": 45,
    "cohort_resolved": 780,
    "cohort_reopened": 39,
    "resolved_escalated": 64,
    "fcr_eligible": 500,
    "fcr_resolved": 375,
    "fcr_final_eligible": 400,
    "fcr_final_resolved": 288,
    "fcr_gross": 520,
    "fcr_gross_resolved": 377,
    "customer_contacts": 510,
    "customer_contacts_repeated": 102,
    "fcr_coarse": 21,
    "sla_met:first_reply": 90,
    "sla_breached:first_reply": 10,
    "sla_met:resolution": 60,
    "sla_breached:resolution": 20,
    "sla_overdue:first_reply": 4,
    "sla_overdue:resolution": 5,
    "sla_at_risk:first_reply": 6,
    "sla_at_risk:resolution": 7,
    "sla_running:first_reply": 8,
    "sla_running:resolution": 9,
    "backlog:open": 11,
    "backlog:pending_customer": 12,
    "backlog:pending_third_party": 13,
    "backlog:on_hold": 14,
    "backlog:resolved": 15,
    "age:lt4h": 1,
    "age:lt1d": 2,
    "age:lt3d": 3,
    "age:lt7d": 4,
    "age:older": 5,
    "awaiting": 19,
    "oldest_awaiting_at": 1_000_000,
    "oldest_open_at": 400_000,
    "csat_responses:email": 40,
    "csat_top2:email": 30,
    "nps_responses:email": 100,
    "nps_promoters:email": 50,
    "nps_detractors:email": 20,
    "ces_responses:email": 50,
    "ces_sum:email": 260_000,
    "ces_low_effort:email": 35,
    "survey_sent:csat:email": 80,
    "survey_returned:csat:email": 40,
    "survey_sent:nps:email": 400,
    "survey_returned:nps:email": 100,
    "survey_sent:ces:email": 500,
    "survey_returned:ces:email": 50,
}
CLOCK = 1_900_000
FIRST_REPLY = (1_000, 2_000, 3_000, 4_000)
FIRST_RESOLUTION = (0, 100_000, 200_000)
SPEED_OF_ANSWER = (10_000, 20_000)
HANDLE_TIME = (200_000, 300_000, 400_000)

EXPECTED: dict[str, float] = {
    "offered": 1100,
    "opened": 900,
    "resolved": 800,
    "reopened": 32,
    "closed": 700,
    "net_flow": 900 + 32 - 800,
    "no_customer": 17,
    "clamped": 3,
    "backlog_open": 11,
    "backlog_pending_customer": 12,
    "backlog_pending_third_party": 13,
    "backlog_on_hold": 14,
    "backlog_resolved": 15,
    "backlog_unresolved": 50,
    "backlog_not_closed": 65,
    "backlog_age_lt4h": 1,
    "backlog_age_lt1d": 2,
    "backlog_age_lt3d": 3,
    "backlog_age_lt7d": 4,
    "backlog_age_older": 5,
    "awaiting_response": 19,
    "oldest_waiting": 900.0,
    "oldest_open": 1500.0,
    "service_level": 860 / (860 + 180),
    "service_level_negative": 860 / 1060,
    "service_level_positive": 880 / 1060,
    "service_level_answered_only": 860 / 1000,
    "speed_of_answer_p50": 15.0,
    "speed_of_answer_p90": 19.0,
    "speed_of_answer_mean": 11.5,
    "abandonment_rate": 50 / 1050,
    "queue_abandoned": 50,
    "handle_time_p50": 300.0,
    "handle_time_p90": 380.0,
    "handle_time_mean": 300.0,
    "first_reply_p50": 2.5,
    "first_reply_p90": 3.7,
    "first_resolution_p50": 100.0,
    "first_resolution_p90": 180.0,
    "reopen_rate": 39 / 780,
    "fcr": 0.75,
    "fcr_final": 0.72,
    "fcr_gross": 0.725,
    "repeat_contact_rate": 0.2,
    "fcr_coarse": 21,
    "escalated": 70,
    "escalation_rate": 0.05,
    "escalation_rate_resolved": 0.08,
    "transfers": 250,
    "transfers_per_answered": 0.25,
    "sla_attainment_first_reply": 0.9,
    "sla_attainment_resolution": 0.75,
    "sla_met_first_reply": 90,
    "sla_met_resolution": 60,
    "sla_breached_first_reply": 10,
    "sla_breached_resolution": 20,
    "sla_overdue_first_reply": 4,
    "sla_overdue_resolution": 5,
    "sla_at_risk_first_reply": 6,
    "sla_at_risk_resolution": 7,
    "sla_running_first_reply": 8,
    "sla_running_resolution": 9,
    "csat": 0.75,
    "nps": 30.0,
    "ces_mean": 5.2,
    "ces_low_effort": 0.7,
    "response_rate_csat": 0.5,
    "response_rate_nps": 0.25,
    "response_rate_ces": 0.1,
    "responses_csat": 40,
    "responses_nps": 100,
    "responses_ces": 50,
}


def whole_pane() -> dict[str, int]:
    pane = dict(PANE)
    for name, durations in (
        ("first_reply", FIRST_REPLY),
        ("first_resolution", FIRST_RESOLUTION),
        ("speed_of_answer", SPEED_OF_ANSWER),
        ("handle_time", HANDLE_TIME),
    ):
        for duration in durations:
            merge(pane, {key(name, duration): 1})
    return pane


def values(pane: dict[str, int], clock: int = CLOCK) -> dict[str, KpiValue]:
    return {kpi.id: value for kpi, _, value in evaluate(CATALOGUE, nested(pane), clock)}


def test_every_entry_has_an_example() -> None:
    assert {kpi.id for kpi in CATALOGUE} == set(EXPECTED)


@pytest.mark.parametrize("kpi", list(EXPECTED))
def test_entry_gives_the_number_computed_by_hand(kpi: str) -> None:
    tolerance = 0.01 if kpi.endswith(("_p50", "_p90")) else 1e-12
    assert values(whole_pane())[kpi].value == pytest.approx(EXPECTED[kpi], rel=tolerance)


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(CATALOGUE)


def test_metric_and_labels_tell_every_entry_apart() -> None:
    assert len({(kpi.metric, kpi.labels) for kpi in CATALOGUE}) == len(CATALOGUE)


def test_textbook_service_levels_of_the_icmi_example() -> None:
    """1000 answered, 860 within T, 60 abandoned, 20 of them within T, 10 within 5 s.

    So 140 answered late and 40 abandoned late had reached T unanswered.
    """
    found = values(PANE)
    percent = [
        round(100 * (found[name].value or 0), 1)
        for name in (
            "service_level",
            "service_level_negative",
            "service_level_positive",
            "service_level_answered_only",
        )
    ]
    assert percent == [82.7, 81.1, 83.0, 86.0]


def test_abandonment_shows_the_short_ones_as_excluded() -> None:
    assert values(PANE)["abandonment_rate"].excluded == 10


def test_fcr_shows_the_contacts_that_were_not_eligible() -> None:
    assert values(PANE)["fcr"].excluded == 20


def test_ratio_carries_its_parts() -> None:
    value = values(PANE)["escalation_rate"]
    assert (value.numerator, value.denominator) == (45, 900)


def test_ratio_without_denominator_is_null_and_not_zero() -> None:
    assert values({"cohort_reopened": 1})["reopen_rate"] == KpiValue(None, numerator=1, denominator=0)


def test_entry_without_data_has_no_row() -> None:
    assert values({}) == {}
    assert set(values({"offered": 2})) == {"offered"}


def test_backlog_of_nothing_has_no_row() -> None:
    assert "backlog_open" not in values({"backlog:resolved": 1})


def test_net_flow_of_zero_is_a_value() -> None:
    assert values({"opened": 2, "resolved": 2})["net_flow"].value == 0


def test_mean_of_nothing_is_no_row() -> None:
    assert "handle_time_mean" not in values({"handle_time_ms": 5})


def test_percentile_knows_how_many_it_is_of() -> None:
    assert values(whole_pane())["first_reply_p90"].n == len(FIRST_REPLY)


def test_age_of_the_future_is_zero_and_says_since_when() -> None:
    assert values({"oldest_awaiting_at": CLOCK + 5})["oldest_waiting"] == KpiValue(0.0, since=CLOCK + 5)


def test_age_needs_an_instant() -> None:
    assert "oldest_waiting" not in values({"oldest_awaiting_at:odd": 5})


def test_csat_under_ten_answers_has_no_value_but_says_n() -> None:
    value = values({"csat_responses:chat": 9, "csat_top2:chat": 9})["csat"]
    assert (value.value, value.n, value.small_n) == (None, 9, True)


def test_csat_under_thirty_answers_is_marked() -> None:
    few = values({"csat_responses:chat": 29, "csat_top2:chat": 9})["csat"]
    enough = values({"csat_responses:chat": 30, "csat_top2:chat": 9})["csat"]
    assert (few.small_n, enough.small_n) == (True, False)


def test_csat_has_the_wilson_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662."""
    value = values({"csat_responses:chat": 263, "csat_top2:chat": 81})["csat"]
    assert [value.low, value.high] == pytest.approx([0.2553, 0.3662], abs=1e-4)


def test_nps_has_its_margin() -> None:
    margin = 196 * sqrt((0.5 + 0.2 - 0.3**2) / 100)
    value = values(PANE)["nps"]
    assert [value.low, value.high] == pytest.approx([30 - margin, 30 + margin])


def test_nps_and_ces_hide_small_samples() -> None:
    found = values({"nps_responses:chat": 9, "nps_promoters:chat": 9, "ces_responses:chat": 9, "ces_sum:chat": 9000})
    assert (found["nps"].value, found["ces_mean"].value) == (None, None)


def test_surveys_without_answers_have_no_row() -> None:
    assert set(values({"csat_top2:a": 1, "nps_promoters:a": 1, "ces_sum:a": 1000, "ces_low_effort:a": 1})) == set()


def test_routes_are_never_blended() -> None:
    pane = nested({"survey_sent:csat:chat": 4, "survey_returned:csat:chat": 1, "survey_sent:csat:email": 5})
    found = {(kpi.id, route): value.value for kpi, route, value in evaluate(CATALOGUE, pane)}
    assert found == {("response_rate_csat", "chat"): 0.25, ("response_rate_csat", "email"): 0.0}


def test_route_entry_ignores_a_key_without_route() -> None:
    assert values({"csat_responses": 20}) == {}


def test_signature_of_a_count_is_the_count() -> None:
    assert signature(KpiValue(3)) == 3
    assert signature(KpiValue(0.5, numerator=1, denominator=2)) == (0.5, 1, 2, None, None)


def test_first_contact_resolution_has_no_row_for_an_hour() -> None:
    assert not any(kpi.id.startswith("fcr") for kpi in with_window("hour"))


def test_every_entry_that_is_no_level_has_days_and_the_span() -> None:
    assert all({"day", "span"} <= set(kpi.windows) for kpi in CATALOGUE if kpi.windows != ("now",))


def test_entry_whose_part_is_missing_has_no_row() -> None:
    found = values({"sla_met:other": 1, "first_reply": 3})
    assert found == {}


def test_percentiles_of_one_histogram_say_what_each_says_by_itself() -> None:
    pane = nested({key("first_reply", 1_000): 3, key("first_reply", 60_000): 2, key("handle_time", 5_000): 1})
    found = {kpi: value for kpi, _, value in evaluate(CATALOGUE, pane)}
    percentiles = {kpi: formula for kpi in found if isinstance(formula := kpi.formula, Percentile)}
    assert len(percentiles) == 4
    for kpi, formula in percentiles.items():
        assert found[kpi] == formula.evaluate(pane)
    assert Percentile("speed_of_answer", 0.5).evaluate(pane) is None

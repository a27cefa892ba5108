"""The opening of a case, its dimensions and how its balance moves with them."""

from __future__ import annotations

import pytest

from models.panes.histogram import key
from tests.support.case_events import (
    CELL,
    RULES,
    Case,
    answered,
    at_ms,
    customer_is,
    customer_wrote,
    escalated,
    flagged,
    happened,
    opened,
    priority,
    reclassified,
    reopened,
    replied,
    resolved,
    status,
    transferred,
)

UNSET = ("unset", "unset", "unset", "unset")


def test_an_opening_counts_the_case_its_contact_and_its_balance_in_its_cell() -> None:
    case = Case(opened(0))
    assert case.counts == {"opened": 1, "offered": 1, "open_cases:open": 1}
    assert case.dated("opened") == [(0, CELL)]


def test_missing_dimensions_are_unset_and_unlisted_ones_other() -> None:
    case = Case(opened(0, queue="", channel="pigeon", priority="", team="green"))
    assert case.dated("opened") == [(0, ("unset", "other", "unset", "other"))]


def test_the_first_contact_in_event_order_opens_the_case_and_a_second_changes_no_status() -> None:
    #    c2 ●────● c1         c1 was heard of first
    case = Case(opened(10, "c1", queue="orders"), opened(5, "c2", queue="returns"))
    assert case.instants("opened") == [5]
    assert case.dated("offered") == [(5, ("returns", *CELL[1:])), (10, ("orders", *CELL[1:]))]
    assert case.instants("open_cases:open") == [5]


def test_what_happened_before_the_opening_uses_the_dimensions_of_the_opening() -> None:
    #    reply ●────● opening
    case = Case(replied(4), opened(9))
    assert case.dated("first_reply:z") == [(4, CELL)]
    assert case.dated("clamped") == [(4, CELL)]


@pytest.mark.parametrize("early", [status(3, "on_hold"), priority(3, "urgent")])
def test_no_balance_changes_before_the_opening(early: object) -> None:
    case = Case(early, opened(9))  # type: ignore[arg-type]
    balances = [at for (key, at, _) in case.row.facts if key.startswith("open_cases")]
    assert set(balances) == {at_ms(9)}
    assert sum(weight for (key, _, _), weight in case.row.facts.items() if key.startswith("open_cases")) == 1


def test_without_an_opening_everything_is_unset_until_an_event_says_otherwise() -> None:
    case = Case(escalated(1), priority(2, "urgent"), resolved(3))
    assert case.dated("escalated") == [(1, UNSET)]
    assert case.dated("resolved") == [(3, ("unset", "unset", "urgent", "unset"))]
    assert not [key for key in case.counts if key.startswith(("open_cases", "first_", "cohort", "sla"))]


def test_without_an_opening_a_reply_is_no_first_reply() -> None:
    assert Case(answered(5)).counts == {"answered": 1}


@pytest.mark.parametrize(
    ("event", "after"),
    [
        (transferred(5, "orders"), ("orders", "email", "normal", "unset")),
        (transferred(5, "orders", to_team="red"), ("orders", "email", "normal", "red")),
        (priority(5, "urgent"), ("billing", "email", "urgent", "unset")),
        (reclassified(5, team="red", channel="chat"), ("billing", "chat", "normal", "red")),
        (escalated(5, to_team="blue"), ("billing", "email", "normal", "blue")),
    ],
)
def test_a_change_of_dimension_moves_the_balance_from_the_old_cell_to_the_new(event: object, after: tuple[str, ...]) -> None:
    case = Case(opened(0), event)  # type: ignore[arg-type]
    assert {(at, cell): weight for (key, at, cell), weight in case.row.facts.items() if key == "open_cases:open"} == {
        (at_ms(0), CELL): 1,
        (at_ms(5), CELL): -1,
        (at_ms(5), after): 1,
    }


@pytest.mark.parametrize("event", [escalated(5), reclassified(5, reason="refund"), priority(5, "normal")])
def test_an_event_that_names_no_other_dimension_moves_nothing(event: object) -> None:
    case = Case(opened(0), event)  # type: ignore[arg-type]
    assert case.dated("open_cases:open") == [(0, CELL)]


def test_a_closed_case_has_no_balance_to_move() -> None:
    case = Case(opened(0), happened("case.closed", 5), priority(6, "urgent"))
    assert [at for at, _ in case.dated("open_cases:open")] == [0, 5]


def test_a_later_fact_carries_the_cell_as_of_then() -> None:
    case = Case(opened(0), priority(5, "urgent"), replied(9))
    assert case.dated(key("first_reply", 9_000)) == [(9, ("billing", "email", "urgent", "unset"))]


def test_a_contact_whose_case_has_no_customer_is_counted_until_someone_names_one() -> None:
    case = Case(opened(0, customer_id=""), opened(3, "c2", customer_id=""))
    assert case.instants("no_customer") == [0, 3]
    case.tell(customer_is(5, "ann"))
    assert "no_customer" not in case.counts
    case.tell(opened(7, "c3", customer_id=""))
    assert "no_customer" not in case.counts


@pytest.mark.parametrize("flag", ["synthetic", "internal", "spam"])
def test_a_flag_exempts_the_case_and_takes_back_all_its_facts(flag: str) -> None:
    assert Case(opened(0), answered(4), flagged(9, flag)).row.facts == {}
    assert Case(opened(0, flags=(flag,)), answered(4)).row.facts == {}
    assert Case(opened(0), answered(4), opened(9, "c1", flags=(flag,))).row.facts == {}


@pytest.mark.parametrize("event_type", ["case.merged", "case.cancelled"])
def test_a_merged_or_cancelled_case_is_exempt(event_type: str) -> None:
    case = Case(opened(0), resolved(4), happened(event_type, 9))
    assert case.row.facts == {}
    case.tell(reopened(12))
    assert case.row.facts == {}


def test_historical_counts_and_an_unknown_flag_does_nothing() -> None:
    assert Case(opened(0, flags=("historical", "purple"))).counts["opened"] == 1


@pytest.mark.parametrize("event_type", ["commitment.made", "commitment.revised", "commitment.fulfilled"])
def test_a_promise_is_kept_in_the_row_and_is_no_fact_yet(event_type: str) -> None:
    case = Case(opened(0), happened(event_type, 5, commitment_id="p1"))
    assert case.counts == Case(opened(0)).counts
    assert len(case.row.items) == 2


def test_a_message_of_the_customer_is_no_fact() -> None:
    assert Case(opened(0), customer_wrote(5)).counts == Case(opened(0)).counts


def test_rules_left_out_keep_their_defaults() -> None:
    plain = type(RULES).from_body({})
    assert (plain.service_level_target, plain.short_abandon, plain.horizon) == (20_000, 5_000, 35 * 86_400_000)
    assert plain.target("first_reply", "urgent") is None


def test_a_priority_that_is_not_named_has_the_default_target() -> None:
    rules = type(RULES).from_body({"sla": {"targets": {"first_reply": {"urgent": 60, "default": 90, "low": None}}}})
    assert [rules.target("first_reply", name) for name in ("urgent", "normal")] == [60_000, 90_000]

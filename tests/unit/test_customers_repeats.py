"""Repeat facts of a customer: what repeats a contact, when it is final, when it is forgotten.

All facts are dated at the contact's opening with its cell then; the window is (opened, opened + 7 d].
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from models.customers import logic as logic_module
from models.customers.logic import CustomersLogic
from models.customers.row import CustomerRow
from models.durability.keyed import KeyedState
from models.durability.panes import PaneStore
from models.durability.rows import RowStore
from models.events.canonical import ContactVersion, Definitions, Mark
from models.panes.dimensions import Dimensions
from stream_app.wire.keyed import CUSTOMERS
from tests.support.case_events import CELL, DAY, DEFINITIONS, HOUR, at_ms

HORIZON = 35 * DAY


def contact(name: str, at: float, version: int = 1, case: str = "", **fields: Any) -> ContactVersion:
    """Version ``version`` of contact ``name`` of a case of its own."""
    case = case or f"case-{name}"
    reopened = tuple(at_ms(instant) for instant in fields.pop("reopened", ()))
    return ContactVersion(f"{case}\u001f{name}", (0, version), "ann", case, name, at_ms(at), CELL, reopened_at=reopened, **fields)


class Customer:
    """The Customers machine over one customer."""

    def __init__(self, *contacts: ContactVersion) -> None:
        panes, dimensions = PaneStore(), Dimensions()
        self.logic = CustomersLogic(panes, dimensions)
        rows: RowStore[CustomerRow] = RowStore(CUSTOMERS.row, lambda key, value: CUSTOMERS.restore_row(CUSTOMERS.row_key(key), value))
        self.state: KeyedState[CustomerRow] = KeyedState(0, self.logic, panes, dimensions, rows)
        self.state.define(Definitions(1, dict(DEFINITIONS)), 0)
        self.tell(*contacts)

    def tell(self, *contacts: ContactVersion) -> Customer:
        for version in contacts:
            self.state.apply("ann", version, self.state.offset)
        return self

    def pass_to(self, at: float) -> Customer:
        self.state.mark(Mark({"cases-0": at_ms(at)}, {"cases": 1}, clock=at_ms(at)), self.state.offset)
        return self

    @property
    def facts(self) -> Counter[str]:
        """Facts in the panes by key."""
        counts: Counter[str] = Counter()
        for cells in self.state.panes.slow.values():
            for pane in cells.values():
                counts.update(pane.facts)
        return counts

    def of(self, name: str) -> set[str]:
        """Keys of the facts of one contact (each test gives every contact another instant)."""
        row = self.state.rows["ann"]
        opened_at = next(known.opened_at for known in row.contacts.values() if known.contact_id == name)
        return {key for key, at, _ in row.facts if at == opened_at}


ALONE = {"fcr_gross", "fcr_gross_resolved", "fcr_eligible", "fcr_resolved", "customer_contacts"}
REPEATED = {"fcr_gross", "fcr_eligible", "customer_contacts", "customer_contacts_repeated"}


# -- what repeats -----------------------------------------------------------------------------------------


def test_a_contact_alone_is_resolved_at_first_contact() -> None:
    customer = Customer(contact("a", 0, reason="refund"))
    assert customer.of("a") == ALONE
    assert {(at, cell) for _, at, cell in customer.state.rows["ann"].facts} == {(at_ms(0), CELL)}


def test_another_contact_for_the_same_reason_repeats_the_earlier_one_only() -> None:
    #    a ●────● b
    customer = Customer(contact("a", 0, reason="refund"), contact("b", DAY, reason="refund"))
    assert (customer.of("a"), customer.of("b")) == (REPEATED, ALONE)


@pytest.mark.parametrize(("at", "repeated"), [(0.001, True), (7 * DAY, True), (7 * DAY + 0.001, False)])
def test_the_window_ends_with_the_seventh_day(at: float, repeated: bool) -> None:
    customer = Customer(contact("a", 0, reason="refund"), contact("b", at, reason="refund"))
    assert ("fcr_resolved" not in customer.of("a")) is repeated


def test_of_two_contacts_at_one_instant_the_one_with_the_greater_id_repeats_the_other() -> None:
    customer = Customer(contact("b", 0), contact("a", 0))
    assert customer.facts["customer_contacts_repeated"] == 1
    same_id = Customer(contact("a", 0, case="case-1"), contact("a", 0, case="case-2"))
    assert same_id.facts["customer_contacts_repeated"] == 1


def test_another_reason_does_not_repeat_and_a_missing_one_does_not_match_a_given_one() -> None:
    customer = Customer(contact("a", 0, reason="refund"), contact("b", 10, reason="late"), contact("c", 20))
    assert customer.of("a") == ALONE


def test_a_contact_without_a_reason_matches_every_reason_and_is_marked_coarse() -> None:
    customer = Customer(contact("a", 0), contact("b", 10, reason="late"))
    assert customer.of("a") == REPEATED | {"fcr_coarse"}


def test_a_reopening_repeats_but_is_no_contact() -> None:
    customer = Customer(contact("a", 0, reason="refund", reopened=[DAY]))
    assert customer.of("a") == {"fcr_gross", "fcr_eligible", "customer_contacts"}


def test_a_reopening_at_the_instant_of_the_contact_or_after_the_window_repeats_nothing() -> None:
    assert Customer(contact("a", DAY, reason="refund", reopened=[DAY, 9 * DAY])).of("a") == ALONE


def test_a_contact_after_a_reopening_still_counts_as_a_repeated_contact() -> None:
    customer = Customer(contact("a", 0, reason="refund", reopened=[DAY]), contact("b", 2 * DAY, reason="refund"))
    assert customer.of("a") == REPEATED


def test_an_abandoned_contact_is_not_eligible_but_repeats_others() -> None:
    customer = Customer(contact("a", 0, reason="refund"), contact("b", DAY, reason="refund", abandoned=True))
    assert customer.of("a") == REPEATED
    assert customer.of("b") == {"fcr_gross", "fcr_gross_resolved", "customer_contacts"}


# -- final ------------------------------------------------------------------------------------------------


def test_a_contact_is_final_once_the_watermark_is_at_the_end_of_its_window() -> None:
    customer = Customer(contact("a", 0, reason="refund")).pass_to(7 * DAY - 0.001)
    assert customer.of("a") == ALONE
    customer.pass_to(7 * DAY)
    assert customer.of("a") == ALONE | {"fcr_final_eligible", "fcr_final_resolved"}


def test_a_repeated_contact_is_final_without_being_resolved() -> None:
    customer = Customer(contact("a", 0, reason="refund"), contact("b", 1, reason="refund")).pass_to(7 * DAY)
    assert customer.of("a") == REPEATED | {"fcr_final_eligible"}


def test_an_abandoned_contact_is_never_final() -> None:
    customer = Customer(contact("a", 0, reason="refund", abandoned=True)).pass_to(8 * DAY)
    assert not customer.facts["fcr_final_eligible"]


def test_a_repeat_that_arrives_late_takes_a_final_resolution_back() -> None:
    customer = Customer(contact("a", 0, reason="refund")).pass_to(7.5 * DAY)
    assert customer.tell(contact("b", DAY, reason="refund")).of("a") == REPEATED | {"fcr_final_eligible"}
    assert customer.facts["fcr_final_resolved"] == 0


# -- versions ---------------------------------------------------------------------------------------------


def test_a_greater_version_replaces_and_an_older_or_equal_one_changes_nothing() -> None:
    customer = Customer(contact("a", 0, 5, reason="refund"))
    customer.tell(contact("a", 0, 4), contact("a", 0, 5))
    assert customer.of("a") == ALONE
    assert customer.state.counters == {"applied": 1, "redelivered": 2}
    assert "fcr_coarse" in customer.tell(contact("a", 0, 6)).of("a")


def test_a_withdrawn_contact_takes_its_facts_back_and_repeats_nothing() -> None:
    customer = Customer(contact("a", 0, reason="refund"), contact("b", DAY, reason="refund"))
    customer.tell(contact("b", DAY, 2, reason="refund", withdrawn=True))
    assert customer.of("a") == ALONE
    assert customer.facts["fcr_gross"] == 1


def test_an_older_version_cannot_bring_a_withdrawn_contact_back() -> None:
    customer = Customer(contact("a", 0, 2, withdrawn=True)).pass_to(8 * DAY)
    assert customer.tell(contact("a", 0, 1)).facts == {}


@pytest.mark.replaces
def test_a_version_that_cannot_be_handled_leaves_the_customer_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("boom")

    customer = Customer(contact("a", 0, reason="refund"))
    before = dict(customer.state.rows["ann"].contacts)
    with monkeypatch.context() as patched:
        patched.setattr(logic_module, "facts_of", fail)
        customer.tell(contact("a", 0, 2), contact("b", 1))
    assert customer.state.rows["ann"].contacts == before
    assert customer.state.counters["handler_errors"] == 2
    assert customer.of("a") == ALONE


# -- the horizon ------------------------------------------------------------------------------------------


def test_a_contact_is_forgotten_when_its_slice_has_left_the_panes() -> None:
    #    opened 10:15 ── horizon ── 10:15 ──● one slice later: forgotten
    customer = Customer(contact("a", 900)).pass_to(HORIZON + 900 + 1)
    assert "ann" in customer.state.rows
    customer.pass_to(HORIZON + 900 + HOUR)
    assert not customer.state.rows


def test_a_reopening_after_a_contact_was_forgotten_counts_nothing_a_second_time() -> None:
    #    opened 10:15 ── horizon ── 10:30: the slice of 10:00 still stands, and so must the contact
    customer = Customer(contact("a", 900, reason="refund")).pass_to(HORIZON + 1_800)
    customer.tell(contact("a", 900, 2, reason="refund", reopened=[HORIZON + 1_700]))
    assert customer.facts["fcr_gross"] == 1


def test_forgetting_one_contact_keeps_the_facts_of_the_others() -> None:
    customer = Customer(contact("a", 0, reason="refund"), contact("b", 5 * DAY, reason="refund")).pass_to(HORIZON + HOUR)
    assert list(customer.state.rows["ann"].contacts) == ["case-b\u001fb"]
    assert customer.of("b") == ALONE | {"fcr_final_eligible", "fcr_final_resolved"}
    assert not customer.pass_to(HORIZON + 5 * DAY + HOUR).state.rows


def test_a_reopening_keeps_its_contact_longer() -> None:
    customer = Customer(contact("a", 0, reopened=[3 * DAY])).pass_to(HORIZON + 2 * DAY)
    assert list(customer.state.rows) == ["ann"]


def test_a_contact_older_than_the_horizon_is_too_late() -> None:
    customer = Customer(contact("a", HORIZON)).pass_to(2 * HORIZON)
    customer.tell(contact("b", HORIZON - 1))
    assert customer.state.counters["too_late"] == 1


# -- what the machine asks --------------------------------------------------------------------------------


def test_nothing_is_published_about_single_customers() -> None:
    customer = Customer(contact("a", 0))
    customer.logic.rewritten(["ann"])
    customer.logic.note(contact("b", 1))
    assert customer.logic.counted_before(None, contact("a", 0)) == "applied"
    assert customer.state.take_unwritten() == ["ann"]

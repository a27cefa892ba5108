"""What Cases tells others: case-events, whole contacts for the customer log, and the state of open cases."""

from __future__ import annotations

from typing import Any

import pytest

from models.cases.logic import CasesLogic
from models.durability.fence import pack
from models.durability.panes import PaneStore
from models.events.canonical import ContactVersion
from models.panes.dimensions import NAMES, Dimensions
from tests.support.case_events import (
    CELL,
    HOUR,
    Desk,
    abandoned,
    answered,
    at_ms,
    called,
    closed,
    customer_is,
    customer_wrote,
    escalated,
    flagged,
    happened,
    opened,
    reclassified,
    reopened,
    replied,
    resolved,
    status,
    transferred,
)


def versions(desk: Desk) -> list[ContactVersion]:
    return list(desk.said("customer-log"))


def newest(desk: Desk) -> dict[tuple[str, str], ContactVersion]:
    """As the customer log ends: by customer and contact."""
    return {(version.customer_id, version.contact_id): version for version in versions(desk)}


# -- case-events ------------------------------------------------------------------------------------------


def test_each_step_of_a_life_is_announced_once_with_a_stable_id() -> None:
    desk = Desk().tell(
        opened(0), transferred(1, "orders"), replied(2), replied(3), escalated(4), resolved(5), resolved(6), closed(7), reopened(8)
    )
    assert desk.kinds("case-events") == ["opened", "transferred", "first_reply", "escalated", "resolved", "closed", "reopened"]
    assert desk.said("case-events")[1] == {
        "id": "case-1:transferred:contact.transferred/1/c1",
        "case_id": "case-1",
        "kind": "transferred",
        "occurred_at": at_ms(1),
        "event_id": "contact.transferred/1/c1",
        "queue": "billing",
        "channel": "email",
        "priority": "normal",
        "team": "unset",
    }


def test_an_event_out_of_order_announces_only_what_is_new() -> None:
    desk = Desk().tell(opened(0), resolved(9)).tell(escalated(4))
    assert desk.kinds("case-events") == ["opened", "resolved", "escalated"]


@pytest.mark.parametrize("event", [flagged(5, "spam"), happened("case.merged", 5), happened("case.cancelled", 5)])
def test_an_exempt_case_says_so_once_and_then_nothing_more(event: Any) -> None:
    desk = Desk().tell(opened(0), event, flagged(6, "internal"), resolved(7)).tell(escalated(3))
    assert desk.kinds("case-events") == ["opened", "exempt"]
    assert desk.said("case-events")[1]["queue"] == "billing"


def test_a_case_that_opens_flagged_says_nothing_but_that_it_is_exempt() -> None:
    assert Desk().tell(opened(0, flags=("spam",))).kinds("case-events") == ["exempt"]


# -- customer log -----------------------------------------------------------------------------------------


def test_a_contact_is_sent_whole_to_its_customer() -> None:
    desk = Desk().tell(called(0, reason="refund"))
    (version,) = versions(desk)
    assert version == ContactVersion(
        key="case-1\u001fc1",
        version=(0, 1),
        customer_id="ann",
        case_id="case-1",
        contact_id="c1",
        opened_at=at_ms(0),
        cell=("billing", "phone", "normal", "unset"),
        reason="refund",
    )


def test_a_case_without_a_customer_sends_no_contact_and_catches_up_when_it_has_one() -> None:
    desk = Desk().tell(opened(0, customer_id=""), opened(3, "c2", customer_id=""))
    assert versions(desk) == []
    desk.tell(customer_is(5, "ann"))
    assert set(newest(desk)) == {("ann", "c1"), ("ann", "c2")}


def test_another_customer_gets_all_contacts_and_the_former_is_told_to_withdraw_them() -> None:
    desk = Desk().tell(opened(0), opened(3, "c2"), customer_is(5, "bob"))
    assert {who: version.withdrawn for who, version in newest(desk).items()} == {
        ("ann", "c1"): True,
        ("ann", "c2"): True,
        ("bob", "c1"): False,
        ("bob", "c2"): False,
    }
    assert len({version.version for version in versions(desk)[-4:]}) == 1


def test_the_latest_customer_by_event_time_holds() -> None:
    desk = Desk().tell(opened(0), customer_is(9, "bob"), customer_is(5, "eve"))
    assert [who for who, version in newest(desk).items() if not version.withdrawn] == [("bob", "c1")]


def test_an_exempt_case_withdraws_its_contacts() -> None:
    desk = Desk().tell(opened(0), happened("case.merged", 5, into_case_id="case-2"))
    assert [version.withdrawn for version in versions(desk)] == [False, True]


def test_a_reclassified_reason_holds_for_every_contact_of_the_case() -> None:
    desk = Desk().tell(opened(0, reason="refund"), opened(3, "c2"), reclassified(5, reason="late"))
    assert {version.reason for version in newest(desk).values()} == {"late"}


def test_reopenings_stand_on_the_first_contact_of_the_case() -> None:
    desk = Desk().tell(opened(0), opened(3, "c2"), resolved(5), reopened(6), reopened(8))
    assert {contact: version.reopened_at for (_, contact), version in newest(desk).items()} == {"c1": (at_ms(6), at_ms(8)), "c2": ()}


def test_an_abandoned_contact_is_told_again() -> None:
    desk = Desk().tell(called(0), abandoned(9))
    assert [version.abandoned for version in versions(desk)] == [False, True]


def test_what_changes_nothing_about_a_contact_sends_nothing() -> None:
    desk = Desk().tell(opened(0), answered(5), opened(6), answered(7, "c9"), resolved(8)).tell(replied(3))
    assert len(versions(desk)) == 1


def test_a_contact_that_goes_with_its_conflicting_event_is_withdrawn() -> None:
    second = opened(9, "c2", event_id="x")
    earlier = replied(5)
    earlier.event_id = "x"
    desk = Desk().tell(opened(0), second, earlier)
    assert newest(desk)["ann", "c2"].withdrawn


def test_a_case_that_loses_its_only_opening_withdraws_its_contact() -> None:
    earlier = replied(-5)
    earlier.event_id = opened(0).event_id
    assert newest(Desk().tell(opened(0), earlier))["ann", "c1"].withdrawn


# -- cases ------------------------------------------------------------------------------------------------


def record(desk: Desk, case: str = "case-1") -> dict[str, Any]:
    return desk.logic.case_record(case, desk.state.rows.get(case), pack(0, 77))


def test_the_state_of_an_open_case() -> None:
    desk = Desk().tell(opened(0), opened(5, "c2"), replied(6), customer_wrote(8), status(9, "on_hold")).pass_to(60)
    assert record(desk) == {
        "fence": (0, 5),
        "case_id": "case-1",
        "status": "on_hold",
        "opened_at": at_ms(0),
        "first_reply_at": at_ms(6),
        "first_resolved_at": None,
        "awaiting_since": at_ms(8),
        "queue": "billing",
        "channel": "email",
        "priority": "normal",
        "team": "unset",
        "contacts": 2,
        "reopened": 0,
        "settled_to": None,  # nothing was due yet
        "clocks": [{"metric": "resolution", "state": 1, "due_at": at_ms(4 * HOUR)}],
    }


def test_a_case_says_how_far_time_has_decided_about_it() -> None:
    desk = Desk().tell(opened(0))
    assert record(desk)["settled_to"] is None
    desk.pass_to(2 * HOUR)
    assert record(desk)["settled_to"] == at_ms(2 * HOUR)
    assert record(desk)["clocks"][0] == {"metric": "first_reply", "state": 3, "due_at": at_ms(HOUR)}


def test_a_resolved_case_is_still_open_to_reopening_and_has_no_clock() -> None:
    desk = Desk().tell(opened(0), resolved(5), reopened(6), resolved(7))
    assert (record(desk)["status"], record(desk)["reopened"], record(desk)["clocks"]) == ("resolved", 1, [])


@pytest.mark.parametrize("last", [closed(5), flagged(5, "spam")])
def test_a_case_that_is_over_is_deleted_with_its_fence(last: Any) -> None:
    assert record(Desk().tell(opened(0), last)) == {"fence": (0, 2), "deleted": True}


def test_a_case_that_never_opened_or_is_gone_is_deleted() -> None:
    assert record(Desk().tell(resolved(5))) == {"fence": (0, 1), "deleted": True}
    assert record(Desk()) == {"fence": (0, 77), "deleted": True}


def test_each_changed_case_is_published_again_and_so_are_rewritten_ones() -> None:
    desk = Desk().tell(opened(0), opened(0, case_id="case-2"))
    assert list(desk.logic.unsent_cases) == ["case-1", "case-2"]
    desk.logic.rewritten(["case-7"])
    assert list(desk.logic.unsent_cases) == ["case-1", "case-2", "case-7"]


# -- dimensions in log order ------------------------------------------------------------------------------


def test_without_lists_values_are_kept_as_the_log_names_them() -> None:
    desk = Desk({"dimension_cap": 1}).tell(opened(0), transferred(5, "orders"))
    assert desk.state.dimensions.seen == {"queue": ["billing"], "channel": ["email"], "priority": ["normal"], "team": [], "route": []}
    assert set(desk.state.panes.slow[at_ms(0)]) == {CELL, ("other", *CELL[1:])}


def test_with_every_dimension_listed_nothing_is_noted() -> None:
    dimensions = Dimensions()
    logic = CasesLogic(PaneStore(), dimensions)
    logic.adopt({"dimensions": dict.fromkeys(NAMES, ("billing",))}, changed=False)
    logic.note(opened(0))
    assert not any(dimensions.seen.values())


def test_an_event_is_as_old_as_it_says() -> None:
    assert Desk().logic.occurred_at(opened(3)) == at_ms(3)

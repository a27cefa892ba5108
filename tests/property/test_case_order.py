"""A case's facts are a function of the set of its events and of the instant settled to, whatever the order of arrival."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.cases.fold import fold_all
from models.cases.items import Item, content_hash, item_of
from models.cases.level import level_of
from models.cases.row import order
from models.cases.rules import CaseRules
from models.cases.take import next_wake
from models.events.canonical import Event
from models.panes.dimensions import Dimensions
from models.panes.facts import total
from tests.support.case_events import Case, at_ms, happened

# Everything within a minute, so that instants collide and every limit is reached and passed.
LENGTH = 60
RULES = CaseRules.from_body(
    {
        "horizon_s": 1_000_000,
        "queued_channels": ["phone"],
        "service_level_target_s": 6,
        "short_abandon_s": 2,
        "reopen_window_d": 15 / 86_400,
        "sla": {
            "targets": {"first_reply": {"urgent": 4, "normal": 12}, "resolution": {"urgent": 10, "normal": 25}},
            "pause_statuses": ["pending_customer"],
        },
    }
)
CHANNELS, QUEUES, PRIORITIES = ("", "phone", "email"), ("", "billing", "orders"), ("urgent", "normal", "low")
CONTACTS = ("c1", "c2")
STATUSES = ("open", "pending_customer", "pending_third_party", "on_hold")
FLAGS = st.sampled_from([()] * 12 + [("historical",), ("spam",)])
SOMEONE = st.sampled_from(("", "", "ann", "bob"))
DUE = st.none() | st.none() | st.integers(0, LENGTH).map(at_ms)
PARTS = st.none() | st.integers(0, 9).map(float)

FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "contact.opened": {
        "contact_id": st.sampled_from(CONTACTS),
        "channel": st.sampled_from(CHANNELS),
        "queue": st.sampled_from(QUEUES),
        "priority": st.sampled_from(PRIORITIES),
        "team": st.sampled_from(("", "red")),
        "reason": st.sampled_from(("", "refund")),
        "flags": FLAGS,
        "due_first_reply": DUE,
        "due_resolution": DUE,
    },
    "contact.answered": {"contact_id": st.sampled_from(CONTACTS)},
    "contact.abandoned": {"contact_id": st.sampled_from(CONTACTS)},
    "contact.callback_requested": {"contact_id": st.sampled_from(CONTACTS)},
    "contact.transferred": {
        "contact_id": st.sampled_from(CONTACTS),
        "to_queue": st.sampled_from(QUEUES[1:]),
        "to_team": st.sampled_from(("", "blue")),
    },
    "contact.ended": {"contact_id": st.sampled_from(CONTACTS), "talk_s": PARTS, "hold_s": PARTS},
    "message.customer": {},
    "message.representative": {"public": st.booleans(), "automated": st.booleans()},
    "case.status_changed": {"status": st.sampled_from(STATUSES)},
    "case.priority_changed": {"priority": st.sampled_from(PRIORITIES)},
    "case.reclassified": {
        "reason": st.sampled_from(("", "late")),
        "team": st.sampled_from(("", "blue")),
        "channel": st.sampled_from(CHANNELS),
    },
    "case.flagged": {"flags": FLAGS},
    "case.customer_changed": {},
    "case.escalated": {"to_team": st.sampled_from(("", "blue"))},
    "commitment.made": {},
    "case.reopened": {},
    "case.resolved": {},
    "case.closed": {},
    "survey.sent": {"survey_id": st.sampled_from(("s1", "s2")), "kind": st.sampled_from(("csat", "nps", "ces")), "route": st.just("mail")},
    "survey.responded": {
        "survey_id": st.sampled_from(("s1", "s2")),
        "kind": st.sampled_from(("csat", "nps", "ces")),
        "route": st.just("mail"),
        "score": st.integers(1, 10).map(float),
    },
}
# What a case is made of comes up more often than what is rare.
OFTEN = ("contact.opened", "contact.answered", "case.status_changed", "case.resolved", "message.representative", "case.priority_changed")


@st.composite
def case_events(draw: st.DrawFn) -> Event:
    event_type = draw(st.sampled_from((*FIELDS, *OFTEN, *OFTEN)))
    fields = {name: draw(strategy) for name, strategy in FIELDS[event_type].items()}
    # few ids: now and then two events share one and only the least counts
    return happened(event_type, draw(st.integers(0, LENGTH)), event_id=f"e{draw(st.integers(0, 60))}", customer_id=draw(SOMEONE), **fields)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[Event], list[int], int]:
    """Events, the same in another order, a watermark after some of them, and the last watermark."""
    events = draw(st.lists(case_events(), min_size=1, max_size=14))
    arrival = draw(st.permutations(events))
    watermarks = sorted(draw(st.lists(st.integers(0, LENGTH), max_size=5)))
    return events, arrival, watermarks, draw(st.integers(LENGTH, LENGTH + 40))


def counting(events: list[Event]) -> list[Item]:
    """The items that count: of each id the least."""
    least: dict[str, Item] = {}
    for item in map(item_of, events):
        known = least.get(item[2])
        if known is None or (item[0], content_hash(item)) < (known[0], content_hash(known)):
            least[item[2]] = item
    return sorted(least.values(), key=order)


@settings(max_examples=200, deadline=None)
@given(history=histories(), data=st.data())
def test_any_order_of_arrival_and_any_wakes_give_the_facts_of_a_fold_over_the_sorted_events(
    history: tuple[list[Event], list[Event], list[int], int], data: st.DataObject
) -> None:
    events, arrival, watermarks, end = history
    dimensions = Dimensions()
    case = Case(rules=RULES, dimensions=dimensions)
    for event in events:
        for name, value in (
            ("queue", event.queue or event.to_queue),
            ("channel", event.channel),
            ("priority", event.priority),
            ("team", event.team or event.to_team),
        ):
            dimensions.note(name, value)
    for event in arrival:
        case.tell(event)  # checks that the journal adds up to the row's facts
        if data.draw(st.booleans()) and watermarks:
            case.pass_to(watermarks.pop(0))
        if data.draw(st.integers(0, 9)) == 0:
            case.row.fold = None  # as after a recovery
    case.pass_to(end)
    fold = fold_all(counting(events), RULES, dimensions, at_ms(end))
    assert case.row.facts == ({} if fold.exempt else total(fold.journal))
    warm = case.row.warm(RULES, dimensions)
    assert level_of(warm, RULES) == level_of(fold, RULES)
    assert next_wake(warm, RULES) == next_wake(fold, RULES)
    assert (warm.customer, warm.reopened_at, warm.reclassified_reason) == (fold.customer, fold.reopened_at, fold.reclassified_reason)


@settings(max_examples=100, deadline=None)
@given(events=st.lists(case_events(), min_size=1, max_size=12))
def test_an_exempted_case_has_given_back_everything(events: list[Event]) -> None:
    case = Case(*events, rules=RULES)
    case.pass_to(LENGTH)
    case.tell(happened("case.cancelled", LENGTH + 1))
    case.pass_to(LENGTH + 50)
    assert case.row.facts == {}
    assert total(case.journal) == {}


@settings(max_examples=100, deadline=None)
@given(events=st.lists(case_events(), min_size=1, max_size=12))
def test_no_fact_is_dated_before_the_first_event_nor_settled_beyond_the_watermark(events: list[Event]) -> None:
    case = Case(*events, rules=RULES).pass_to(LENGTH)
    first = min(event.occurred_at for event in events)
    last = at_ms(LENGTH)
    for key, at, _ in case.row.facts:
        assert at <= last
        assert at >= first or key.startswith("sla_breached")  # a source may promise an instant that is long gone

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

# Everything within half a minute, so that instants collide and every limit is reached and passed.
LENGTH = 26
INSTANTS = st.integers(0, LENGTH // 2).map(lambda half: 2 * half)  # targets are even too: an event at the very due instant is common
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


@st.composite
def case_events(draw: st.DrawFn, types: tuple[str, ...]) -> Event:
    event_type = draw(st.sampled_from(types))
    fields = {name: draw(strategy) for name, strategy in FIELDS[event_type].items()}
    # now and then two events share an id and only the least counts
    event_id = f"e{draw(st.integers(0, 300))}"
    return happened(event_type, draw(INSTANTS), event_id=event_id, customer_id=draw(SOMEONE), **fields)


@st.composite
def events_of_a_case(draw: st.DrawFn) -> list[Event]:
    """Few types at a time, so that they meet; nearly always an opening among them."""
    types = tuple(draw(st.lists(st.sampled_from(list(FIELDS)), min_size=1, max_size=5, unique=True)))
    events = draw(st.lists(case_events(types), min_size=1, max_size=12))
    openings = draw(st.lists(case_events(("contact.opened",)), max_size=2))
    return events + openings


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[Event], list[int], int]:
    """Events, the same in the order of their arrival (often in time, or nearly), watermarks on the way, and the last one."""
    events = draw(events_of_a_case())
    in_order = sorted(events, key=lambda event: order(item_of(event)))
    arrival = in_order if draw(st.booleans()) else draw(st.permutations(in_order))
    if draw(st.booleans()):
        straggler = arrival[draw(st.integers(0, len(arrival) - 1))]
        arrival = [event for event in arrival if event is not straggler] + [straggler]
    watermarks = sorted(draw(st.lists(INSTANTS, max_size=6)))
    return events, arrival, watermarks, draw(st.integers(LENGTH, LENGTH + 40))


def counting(events: list[Event]) -> list[Item]:
    """The items that count: of each id the least."""
    least: dict[str, Item] = {}
    for item in map(item_of, events):
        known = least.get(item[2])
        if known is None or (item[0], content_hash(item)) < (known[0], content_hash(known)):
            least[item[2]] = item
    return sorted(least.values(), key=order)


@settings(max_examples=500, deadline=None)
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
@given(events=events_of_a_case())
def test_an_exempted_case_has_given_back_everything(events: list[Event]) -> None:
    case = Case(*events, rules=RULES)
    case.pass_to(LENGTH)
    case.tell(happened("case.cancelled", LENGTH + 1))
    case.pass_to(LENGTH + 50)
    assert case.row.facts == {}
    assert total(case.journal) == {}


@settings(max_examples=100, deadline=None)
@given(events=events_of_a_case())
def test_no_fact_is_dated_before_the_first_event_nor_settled_beyond_the_watermark(events: list[Event]) -> None:
    case = Case(*events, rules=RULES).pass_to(LENGTH)
    first = min(event.occurred_at for event in events)
    last = at_ms(LENGTH)
    for key, at, _ in case.row.facts:
        assert at <= last
        assert at >= first or key.startswith("sla_breached")  # a source may promise an instant that is long gone


@settings(max_examples=500, deadline=None)
@given(history=histories(), data=st.data())
def test_no_step_of_a_case_is_said_twice_whatever_comes_later(
    history: tuple[list[Event], list[Event], list[int], int], data: st.DataObject
) -> None:
    """A resolution may cease to count and count again; readers know it by its id, and one id has one content."""
    _, arrival, watermarks, _ = history
    case, said = Case(rules=RULES), set()
    for event in arrival:
        for step in case.tell(event).announced:
            assert step[:3] not in said, step
            said.add(step[:3])
        if data.draw(st.booleans()) and watermarks:
            case.pass_to(watermarks.pop(0))
        if data.draw(st.integers(0, 9)) == 0:
            case.stored_and_back()

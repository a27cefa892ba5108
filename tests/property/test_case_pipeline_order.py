"""The panes after the last declared progress do not depend on the order in which the inputs are read."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pipeline import Pipeline

BEGIN = 1_700_006_400_000
LENGTH = 3_600
END = BEGIN + 60 * 86_400_000
TOPICS = {"contact": "contacts", "message": "contacts", "case": "resolutions", "survey": "surveys"}
CASES = ("k1", "k2", "k3")


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Valid input events of three cases of two customers."""
    found = []
    for number in range(draw(st.integers(1, 16))):
        case = draw(st.sampled_from(CASES))
        event: dict[str, Any] = {
            "event_id": f"e{number}",
            "case_id": case,
            "occurred_at": BEGIN + 1_000 * draw(st.integers(0, LENGTH)),
            **draw(st.sampled_from(SHAPES)),
        }
        if event["type"].startswith("contact."):
            event["contact_id"] = f"{case}-{draw(st.sampled_from('ab'))}"
        if draw(st.booleans()):
            event["customer_id"] = draw(st.sampled_from(("ann", "bob")))
        found.append(event)
    return found


SHAPES: tuple[dict[str, Any], ...] = (
    {"type": "contact.opened", "channel": "phone", "queue": "billing", "priority": "urgent", "reason": "refund"},
    {"type": "contact.opened", "channel": "email", "queue": "orders", "priority": "normal"},
    {"type": "contact.opened", "channel": "chat", "queue": "orders", "priority": "low", "reason": "late"},
    {"type": "contact.answered", "representative_id": "r1"},
    {"type": "contact.abandoned"},
    {"type": "contact.transferred", "to_queue": "returns"},
    {"type": "contact.ended", "talk_s": 12.5},
    {"type": "message.customer"},
    {"type": "message.representative", "representative_id": "r1", "public": True},
    {"type": "case.status_changed", "status": "pending_customer"},
    {"type": "case.status_changed", "status": "open"},
    {"type": "case.priority_changed", "priority": "urgent"},
    {"type": "case.reclassified", "reason": "damage"},
    {"type": "case.escalated"},
    {"type": "case.resolved"},
    {"type": "case.reopened"},
    {"type": "case.closed"},
    {"type": "survey.responded", "survey_id": "s1", "kind": "csat", "score": 5, "route": "mail"},
)

Panes = dict[tuple[str, int, tuple[str, ...]], dict[str, int]]


def panes_after(fed: list[dict[str, Any]], drains: set[int]) -> Panes:
    """Feed in this order, let everything read after some of them, declare the end."""
    pipeline = Pipeline(2, rollup=False)
    for number, event in enumerate(fed):
        pipeline.feed(TOPICS[event["type"].partition(".")[0]], event)
        if number in drains:
            pipeline.drain()
    pipeline.declare(END)
    for _ in range(3):
        pipeline.drain()
    return {where: {key: count for key, count in facts.items() if count} for where, facts in pipeline.facts().items()}


@settings(max_examples=80, deadline=None)
@given(told=events(), data=st.data())
def test_any_interleaving_of_several_cases_gives_the_same_panes(told: list[dict[str, Any]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(told))
    drains = data.draw(st.sets(st.integers(0, len(told) - 1), max_size=4))
    assert panes_after(shuffled, drains) == panes_after(told, set())


@settings(max_examples=40, deadline=None)
@given(told=events(), data=st.data())
def test_exempting_every_case_leaves_all_panes_empty(told: list[dict[str, Any]], data: st.DataObject) -> None:
    cancelled = [{"type": "case.cancelled", "event_id": f"x{case}", "case_id": case, "occurred_at": BEGIN} for case in CASES]
    drains = data.draw(st.sets(st.integers(0, len(told) - 1), max_size=4))
    assert panes_after(told + cancelled, drains) == {}

"""The worked examples in docs/how-to: their samples through their mappings, with what the KPIs are made of."""

from __future__ import annotations

from collections import Counter

import pytest

from models.panes.histogram import key as histogram_key
from stream_app.mapping.file import parse_rules
from stream_app.mapping.source import source_mapping
from stream_app.mapping.trial import Trial, attempt
from tests.support.mappings import page_blocks
from tests.support.pipeline import Pipeline

Fact = tuple[str, str, dict[str, object]]
"""Type, time of day in March 2026 and what else must be there."""


def trials(page: str) -> list[Trial]:
    (mapping,), (samples,) = page_blocks(page, "toml"), page_blocks(page, "jsonl")
    rules = parse_rules(mapping, page)
    return [attempt(rules, line.encode()) for line in samples.splitlines()]


PAGES: dict[str, list[list[Fact]]] = {
    "map-your-events.md": [
        [("contact.opened", "02T09:14:05.000", {"case_id": "7", "channel": "web", "queue": "billing", "priority": "urgent"})],
        [("case.priority_changed", "02T10:30:00.000", {"priority": "normal"}), ("case.resolved", "02T10:30:00.000", {"representative_id": "12"})],
        [],
    ],
    "map-zendesk.md": [
        [("contact.opened", "02T09:14:05.120", {"case_id": "5158", "customer_id": "8447388090494", "channel": "web_form", "priority": "high"})],
        [("message.representative", "02T09:20:00.000", {"representative_id": "8447388090495", "public": True})],
        [("message.customer", "02T09:25:00.000", {"case_id": "5158"})],
        [("case.priority_changed", "02T09:26:00.000", {"priority": "urgent"})],
        [("contact.transferred", "02T09:27:00.000", {"to_queue": "8447320466431"})],
        [("case.status_changed", "02T09:30:00.000", {"status": "pending_customer"})],
        [],
        [("case.resolved", "02T11:00:00.000", {"representative_id": "8447388090495"})],
        [("case.closed", "06T11:00:00.000", {"event_id": "09-closed#case.closed"})],
        [("case.flagged", "02T09:40:00.000", {"case_id": "5159", "flags": ["spam"]})],
        [("case.cancelled", "02T09:41:00.000", {"case_id": "5159"})],
    ],
    "map-servicenow.md": [
        [("contact.opened", "02T09:14:01.000", {"case_id": "INC0010023", "channel": "email", "priority": "normal", "reason": "software"})],
        [
            ("case.priority_changed", "02T09:30:00.000", {"priority": "high"}),
            ("case.reclassified", "02T09:30:00.000", {"team": "8a4dde73c6112278017a6a4baf547aa7"}),
            ("message.representative", "02T09:30:00.000", {"representative_id": "46b87022a9fe198101a78787e40d7547", "public": True}),
            ("case.status_changed", "02T09:30:00.000", {"status": "open"}),
        ],
        [
            ("case.priority_changed", "02T09:45:00.000", {"priority": "high"}),
            ("case.reclassified", "02T09:45:00.000", {}),
            ("case.status_changed", "02T09:45:00.000", {"status": "pending_customer"}),
        ],
        [
            ("case.priority_changed", "02T11:00:02.000", {}),
            ("case.reclassified", "02T11:00:02.000", {}),
            ("case.resolved", "02T11:00:00.000", {"resolution_code": "Solution provided", "representative_id": "46b87022a9fe198101a78787e40d7547"}),
        ],
        [("case.priority_changed", "09T11:00:00.000", {}), ("case.reclassified", "09T11:00:00.000", {}), ("case.closed", "09T11:00:00.000", {})],
        [],
    ],
    "map-genesys.md": [
        [],
        [("contact.opened", "02T09:14:25.120", {"channel": "phone", "queue": "5f0e9a52-billing", "customer_id": "c0ffee00-1111-4222-8333-444455556666"})],
        [("contact.answered", "02T09:14:37.120", {"representative_id": "0a1b-ada"})],
        [],
        [("contact.ended", "02T09:19:00.000", {"talk_s": 231.5, "hold_s": 31.38})],
        [("case.resolved", "02T09:19:00.000", {})],
        [("contact.abandoned", "02T09:21:10.000", {"contact_id": "1b6c"})],
        [],
    ],
    "map-freshdesk.md": [
        [
            (
                "contact.opened",
                "02T09:14:05.000",
                {"case_id": "452", "customer_id": "129", "channel": "portal", "queue": "351", "priority": "low", "due_resolution": "2026-03-04T09:14:05.000Z"},
            )
        ],
        [("message.representative", "02T09:20:00.000", {"case_id": "452", "representative_id": "320", "public": True})],
        [("message.customer", "02T09:25:00.000", {"case_id": "452", "customer_id": "129"})],
        [
            ("case.priority_changed", "02T09:30:00.000", {"priority": "urgent"}),
            ("contact.transferred", "02T09:30:00.000", {"to_queue": "352"}),
            ("case.status_changed", "02T09:30:00.000", {"status": "pending_customer"}),
        ],
        [],
        [("case.resolved", "02T11:00:00.000", {"representative_id": "320"})],
        [("case.closed", "04T11:00:00.000", {})],
    ],
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_the_samples_of_a_page_become_what_the_kpis_need(page: str) -> None:
    found = trials(page)
    assert [[event["type"] for event in trial.events] for trial in found] == [[kind for kind, _, _ in facts] for facts in PAGES[page]]
    for trial, facts in zip(found, PAGES[page], strict=True):
        assert trial.rejection is None
        for event, (_, at, more) in zip(trial.events, facts, strict=True):
            assert event["occurred_at"] == f"2026-03-{at}Z"
            assert {name: event.get(name) for name in more} == more


@pytest.mark.parametrize("page", PAGES)
def test_no_two_events_of_a_page_share_an_id(page: str) -> None:
    ids = [event["event_id"] for trial in trials(page) for event in trial.events]
    assert len(set(ids)) == len(ids)


KPIS = {
    "map-zendesk.md": {histogram_key("first_reply", 354_880): 1, "resolved": 1},
    "map-servicenow.md": {histogram_key("first_reply", 959_000): 1, "resolved": 1},
    "map-genesys.md": {"speed_of_answer_ms": 12_000, "handle_time_ms": 262_880},
    "map-freshdesk.md": {histogram_key("first_reply", 355_000): 1, "resolved": 1},
}


@pytest.mark.parametrize("page", KPIS)
def test_the_facts_behind_the_kpis_come_out_of_the_samples_of_a_page(page: str) -> None:
    (mapping,), (samples,) = page_blocks(page, "toml"), page_blocks(page, "jsonl")
    pipeline = Pipeline(1, rollup=False, mappings={"contacts": source_mapping(parse_rules(mapping, page))})
    for line in samples.splitlines():
        pipeline.feed("contacts", line.encode())
    pipeline.drain()
    counted = Counter[str]()
    for facts in pipeline.facts().values():
        counted.update(facts)
    assert {name: counted[name] for name in KPIS[page]} == KPIS[page], counted

"""What the input contract takes, and what becomes of it."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest

from models.events.canonical import Event
from models.events.contract import EVENT_TYPES, INPUT_TYPES
from models.events.submitted import Submitted
from stream_app.wire.decoder import decode
from tests.support.input_records import NOW, message

ORIGIN = "contacts-3@17"

FULL: dict[str, dict[str, Any]] = {
    "contact.opened": {
        "contact_id": "k1", "channel": "phone", "queue": "billing", "priority": "high", "reason": "invoice",
        "team": "a", "tier": "gold", "complaint": True, "flags": ["internal", "historical"],
    },
    "contact.answered": {"contact_id": "k1", "representative_id": "r1"},
    "contact.abandoned": {"contact_id": "k1"},
    "contact.callback_requested": {"contact_id": "k1"},
    "contact.transferred": {"contact_id": "k1", "to_queue": "sales", "to_team": "b"},
    "contact.ended": {"contact_id": "k1", "talk_s": 60.5, "hold_s": 0.0, "after_contact_s": 10.0},
    "message.customer": {"contact_id": "k1"},
    "message.representative": {"contact_id": "k1", "representative_id": "r1", "public": True, "automated": True},
    "case.status_changed": {"status": "on_hold"},
    "case.priority_changed": {"priority": "low"},
    "case.reclassified": {"reason": "refund", "team": "b", "channel": "mail"},
    "case.flagged": {"flags": ["spam"], "complaint": True},
    "case.customer_changed": {"customer_id": "u2"},
    "case.escalated": {"to_level": "2", "to_team": "b"},
    "commitment.made": {"commitment_id": "m1", "kind": "eta", "promised_for": NOW + 10**9},
    "commitment.revised": {"commitment_id": "m1", "kind": "callback", "promised_for": NOW},
    "commitment.fulfilled": {"commitment_id": "m1", "kind": "next_update", "promised_for": NOW},
    "case.resolved": {"resolution_code": "done", "representative_id": "r1", "first_contact": False},
    "case.reopened": {"reason": "again"},
    "case.closed": {},
    "case.merged": {"into_case_id": "c2"},
    "case.cancelled": {},
    "survey.sent": {"survey_id": "s1", "kind": "nps", "route": "mail"},
    "survey.responded": {"survey_id": "s1", "kind": "csat", "score": 4.0, "route": "mail", "resolved": True},
}  # fmt: skip


def only_event(value: bytes, timestamp: int = NOW) -> Event:
    (event,) = decode(value, timestamp, ORIGIN).events
    return event


@pytest.mark.parametrize("type_name", sorted(EVENT_TYPES))
def test_every_type_is_copied_with_all_its_fields(type_name: str) -> None:
    fields = {"customer_id": "u1", **FULL[type_name]}
    expected = msgspec.convert(
        {"type": type_name, "occurred_at": NOW, "event_id": "e1", "case_id": "c1", "origin": ORIGIN, **fields}, Event
    )
    assert only_event(message(type_name, **fields)) == expected


def test_every_field_of_the_contract_is_read_as_the_contract_types_it() -> None:
    """But for ``kind``, which is one of all kinds on the wire, and for null and the empty text, which mean missing."""
    flat = {field.name: _possible(field.type) for field in msgspec.structs.fields(Submitted)}
    for struct in INPUT_TYPES.values():
        for field in msgspec.structs.fields(struct):
            assert field.name == "kind" or flat[field.name] == _possible(field.type), field.name


def _possible(declared: Any) -> set[object]:
    members = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    return {member for member in members if member not in (NoneType, Literal[""])}


def test_the_contract_has_a_json_schema() -> None:
    schemas, components = msgspec.json.schema_components(INPUT_TYPES.values())
    assert len(schemas) == len(INPUT_TYPES)
    assert "ContactRecorded" in components


def test_a_field_of_another_type_is_kept_out() -> None:
    event = only_event(message("case.closed", queue="billing", score=3, due={"resolution": NOW}))
    assert event == Event("case.closed", NOW, "e1", "c1", ORIGIN)


def test_due_instants_are_kept_and_may_lie_ahead() -> None:
    event = only_event(message("contact.opened", due={"first_reply": NOW + 10**9, "resolution": "2026-03-02T10:00:00+01:00"}))
    assert (event.due_first_reply, event.due_resolution) == (NOW + 10**9, NOW)


def test_case_and_contact_id_default_to_each_other() -> None:
    assert only_event(message("contact.opened")).contact_id == "c1"
    event = only_event(message("contact.opened", case_id=None, contact_id="k1"))
    assert (event.case_id, event.contact_id) == ("k1", "k1")
    assert only_event(message("case.resolved", case_id="", contact_id="k1")).case_id == "k1"


def test_a_survey_with_neither_is_keyed_by_its_own_id() -> None:
    event = only_event(message("survey.sent", case_id=None, survey_id="s1", kind="ces", route="mail"))
    assert event.case_id == "s1"


def test_a_missing_event_id_is_a_hash_of_the_message() -> None:
    first, again = (only_event(message(event_id=None)) for _ in range(2))
    other = only_event(message(event_id=None, customer_id="u1"))
    assert first.event_id == again.event_id != other.event_id
    assert len(first.event_id) == 32


def test_agent_id_is_another_name_of_representative_id() -> None:
    assert only_event(message("contact.answered", agent_id="r1")).representative_id == "r1"
    assert only_event(message("contact.answered", agent_id="r1", representative_id="r2")).representative_id == "r2"


def test_the_comment_of_a_survey_is_dropped() -> None:
    accepted = decode(message("survey.responded", **FULL["survey.responded"], comment="private"), NOW, ORIGIN)
    assert b"private" not in msgspec.json.encode(accepted)
    assert accepted.unknown_fields == 0


def test_unknown_fields_are_kept_out_and_counted_also_inside_due() -> None:
    value = message("contact.opened", colour="red", size={"a": [1]}, due={"resolution": NOW, "whenever": 1})
    accepted = decode(value, NOW, ORIGIN)
    assert accepted.unknown_fields == 3
    assert accepted.events == (
        Event("contact.opened", NOW, "e1", "c1", ORIGIN, contact_id="c1", due_resolution=NOW),
    )  # fmt: skip


def test_a_null_means_missing() -> None:
    assert only_event(message(customer_id=None, schema=None, due=None)) == only_event(message())


def test_a_flag_may_be_replaced_by_a_complaint() -> None:
    assert only_event(message("case.flagged", flags=[], complaint=True)).complaint


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-02T09:00:00Z", NOW),
        ("2026-03-02T09:00:00z", NOW),
        ("2026-03-02t10:00:00+01:00", NOW),
        ("2026-03-01T23:00:00.000-10:00", NOW),
        ("2026-03-02T09:00:00.1Z", NOW + 100),
        ("2026-03-02T09:00:00.123456Z", NOW + 123),
        ("2026-03-02T09:00:00.12300000000000000001Z", NOW + 123),
        (NOW, NOW),
        (0, 0),
        ("1970-01-01T00:00:00Z", 0),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2016-12-31T23:59:60.25Z", 1_483_228_800_250),
        ("2017-01-01T00:59:60.5+01:00", 1_483_228_800_500),
    ],
)
def test_times_are_rfc_3339_with_offset_or_epoch_milliseconds(written: object, expected: int) -> None:
    assert only_event(message(occurred_at=written)).occurred_at == expected


def test_a_text_that_looks_like_a_leap_second_stays_a_text() -> None:
    event = only_event(message("contact.opened", queue="2016-12-31T23:59:60Z", colour="red"))
    assert event.queue == "2016-12-31T23:59:60Z"


def test_two_minutes_ahead_of_kafka_is_not_the_future() -> None:
    assert only_event(message(occurred_at=NOW + 120_000)).occurred_at == NOW + 120_000


def test_a_record_without_a_kafka_timestamp_can_not_be_from_the_future() -> None:
    assert only_event(message(), timestamp=-1).occurred_at == NOW


def test_the_sources_own_progress_is_no_event() -> None:
    accepted = decode(b'{"type":"source.progress","up_to":"2026-03-02T09:00:00Z"}', NOW, ORIGIN)
    assert (accepted.events, accepted.up_to) == ((), NOW)


def test_a_recorded_contact_is_split_into_what_happened() -> None:
    """Opened -60 s, answered -50 s, ended -10 s, resolved at NOW, recorded at NOW."""
    value = message(
        "contact.recorded", case_id=None, contact_id="k1", customer_id="u1", queue="billing", channel="phone",
        opened_at=NOW - 60_000, answered_at=NOW - 50_000, ended_at=NOW - 10_000, resolved_at=NOW,
        agent_id="r1", talk_s=30, hold_s=5, after_contact_s=5,
    )  # fmt: skip
    accepted = decode(value, NOW, ORIGIN)
    assert accepted.occurred_at == NOW
    assert accepted.events == (
        Event("contact.opened", NOW - 60_000, "e1#contact.opened", "k1", ORIGIN, "k1", "u1", "phone", "billing"),
        Event("contact.answered", NOW - 50_000, "e1#contact.answered", "k1", ORIGIN, "k1", "u1", representative_id="r1"),
        Event("contact.ended", NOW - 10_000, "e1#contact.ended", "k1", ORIGIN, "k1", "u1", talk_s=30.0, hold_s=5.0, after_contact_s=5.0),
        Event("case.resolved", NOW, "e1#case.resolved", "k1", ORIGIN, customer_id="u1", representative_id="r1"),
    )  # fmt: skip


def test_a_recorded_contact_that_was_abandoned_needs_no_representative() -> None:
    accepted = decode(message("contact.recorded", opened_at=NOW - 9_000, abandoned_at=NOW), NOW, ORIGIN)
    assert [event.type for event in accepted.events] == ["contact.opened", "contact.abandoned"]

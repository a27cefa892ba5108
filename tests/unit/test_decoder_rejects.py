"""What cannot be accepted, with the reason and the field, each in under a millisecond."""

from __future__ import annotations

import time

import pytest

from models.events.contract import EVENT_TYPES
from models.events.rejection import RejectedError
from stream_app.wire.decoder import decode
from tests.support.input_records import NOW, message
from tests.unit.test_decoder_accepts import FULL


def rejection(value: bytes | None, timestamp: int = NOW) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        decode(value, timestamp, "contacts-0@1")
    return caught.value


GOOD = message("contact.opened", contact_id="k1")

BYTES = {
    "null value": (None, "empty", ""),
    "empty": (b"", "empty", ""),
    "truncated": (GOOD[:-5], "not_json", ""),
    "blank": (b"  ", "not_json", ""),
    "not UTF-8": (GOOD.replace(b"k1", b"k\xff"), "not_utf8", ""),
    "not UTF-8 in an unknown field": (b'{"x":"\xff"}', "not_utf8", ""),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not_utf8", ""),
    "null": (b"null", "not_an_object", ""),
    "array": (b"[]", "not_an_object", ""),
    "number": (b"1", "not_an_object", ""),
    "text": (b'"a"', "not_an_object", ""),
    "no fields": (b"{}", "missing_field", "type"),
    "10 MB": (b'{"comment":"' + b"a" * 10_000_000 + b'"}', "too_large", ""),
    "deep arrays": (b"[" * 100_000, "not_an_object", ""),
    "deep nesting": (b'{"x":' * 100_000, "too_deep", ""),
    "deep unknown field": (b'{"x":' + b"[" * 100_000, "too_deep", ""),
    "schema registry": (b"\x00\x00\x00\x00\x07" + GOOD, "schema_registry_bytes", ""),
    "NaN": (message("contact.ended", talk_s=0)[:-2] + b"NaN}", "not_json", ""),
    "Infinity": (message("contact.ended", talk_s=0)[:-2] + b"-Infinity}", "not_json", ""),
    "1e400": (message("contact.ended", talk_s=0)[:-2] + b"1e400}", "invalid_field", "talk_s"),
    "1e400 as time": (b'{"type":"case.closed","case_id":"c","occurred_at":1e400}', "invalid_field", "occurred_at"),
    "huge integer": (b'{"type":"case.closed","case_id":"c","occurred_at":' + b"9" * 5_000 + b"}", "invalid_field", "occurred_at"),
    "lone surrogate": (GOOD.replace(b"k1", b"\\ud800"), "not_json", ""),
    "unknown type": (message("contact.exploded"), "unknown_type", "type"),
    "type of a wrong type": (message().replace(b'"message.customer"', b"[7]"), "unknown_type", "type"),
    "unknown schema": (message(schema=2), "unknown_schema", "schema"),
    "unknown schema of another shape": (message(schema=2, occurred_at={}), "unknown_schema", "schema"),
    "schema of a wrong type": (message(schema="1"), "unknown_schema", "schema"),
    "from the future": (message(occurred_at=NOW + 120_001), "from_the_future", "occurred_at"),
    "epoch seconds as float": (message(occurred_at=1772442000.5), "invalid_field", "occurred_at"),
    "naive time": (message(occurred_at="2026-03-02T09:00:00"), "invalid_field", "occurred_at"),
    "date only": (message(occurred_at="2026-03-02"), "invalid_field", "occurred_at"),
    "no such day": (message(occurred_at="2026-02-30T09:00:00Z"), "invalid_field", "occurred_at"),
    "no leap second": (message(occurred_at="around :60"), "invalid_field", "occurred_at"),
    "leap second at noon": (message(occurred_at="2026-03-02T12:00:60Z"), "invalid_field", "occurred_at"),
    "leap second on no day": (message(occurred_at="2026-02-30T23:59:60Z"), "invalid_field", "occurred_at"),
    "leap second before time": (message(occurred_at="0001-01-01T00:59:60+01:00"), "invalid_field", "occurred_at"),
    "before 1970": (message(occurred_at="1969-12-31T23:59:59Z"), "invalid_field", "occurred_at"),
    "negative epoch": (message(occurred_at=-1), "invalid_field", "occurred_at"),
    "bool as time": (message(occurred_at=True), "invalid_field", "occurred_at"),
    "no time": (message(occurred_at=None), "missing_field", "occurred_at"),
    "no id": (message(case_id=None), "missing_field", "case_id"),
    "a survey id is no case": (message("case.closed", case_id=None, survey_id="s1"), "missing_field", "case_id"),
    "long id": (message(case_id="c" * 129), "invalid_field", "case_id"),
    "case id of a wrong type": (message(case_id=7), "invalid_field", "case_id"),
    "control character": (message(case_id="a\u001fb"), "invalid_field", "case_id"),
    "control character in contact": (message(contact_id="a\u0000"), "invalid_field", "contact_id"),
    "control character in event id": (message(event_id="\n"), "invalid_field", "event_id"),
    "control character in survey id": (
        message("survey.sent", case_id=None, survey_id="\n", kind="ces", route="x"), "invalid_field", "survey_id",
    ),
    "long queue": (message("contact.opened", queue="q" * 129), "invalid_field", "queue"),
    "status": (message("case.status_changed", status="resolved"), "invalid_field", "status"),
    "kind of commitment": (message("commitment.made", commitment_id="m", kind="nps", promised_for=NOW), "invalid_field", "kind"),
    "kind of survey": (message("survey.sent", survey_id="s", kind="eta", route="x"), "invalid_field", "kind"),
    "unknown kind": (message("survey.sent", survey_id="s", kind="ratings", route="x"), "invalid_field", "kind"),
    "unknown flag": (message("case.flagged", flags=["vip"]), "invalid_field", "flags[0]"),
    "due that is no object": (message("contact.opened", due=5), "invalid_field", "due"),
    "due of a wrong type": (message("contact.opened", due={"resolution": "soon"}), "invalid_field", "due.resolution"),
    "due before 1970": (message("contact.opened", due={"resolution": "1960-01-01T00:00:00Z"}), "invalid_field", "due.resolution"),
    "due after 9999": (
        message("contact.opened", due={"resolution": "9999-12-31T23:59:59-12:00"}), "invalid_field", "due.resolution",
    ),
    "year 0": (message(occurred_at="0001-01-01T00:00:00+12:00"), "invalid_field", "occurred_at"),
    "progress of nothing": (message("source.progress"), "missing_field", "up_to"),
    "recorded and never opened": (message("contact.recorded"), "missing_field", "opened_at"),
    "recorded in the future": (
        message("contact.recorded", opened_at=NOW, ended_at=NOW + 10**6), "from_the_future", "ended_at",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_bad_bytes_are_refused_with_reason_and_field(name: str) -> None:
    value, reason, field = BYTES[name]
    error = rejection(value)
    assert (error.reason, error.field) == (reason, field), error


@pytest.mark.parametrize("name", BYTES)
def test_bad_bytes_cost_less_than_a_millisecond(name: str) -> None:
    value = BYTES[name][0]
    best = min(_seconds_to_reject(value) for _ in range(5))
    assert best < 0.001


def _seconds_to_reject(value: bytes | None) -> float:
    start = time.perf_counter()
    rejection(value)
    return time.perf_counter() - start


@pytest.mark.parametrize(
    ("kind", "score", "fits"),
    [
        ("csat", 1, True), ("csat", 5, True), ("csat", 0, False), ("csat", 5.01, False), ("csat", 4.5, True),
        ("nps", 0, True), ("nps", 10, True), ("nps", -1, False), ("nps", 11, False),
        ("ces", 1, True), ("ces", 7, True), ("ces", 0.5, False), ("ces", 8, False),
    ],
)  # fmt: skip
def test_a_score_lies_in_the_range_of_its_survey(kind: str, score: float, fits: bool) -> None:
    value = message("survey.responded", survey_id="s1", kind=kind, score=score, route="mail")
    if fits:
        assert decode(value, NOW, "").events[0].score == score
    else:
        error = rejection(value)
        assert (error.reason, error.field) == ("invalid_field", "score")


REQUIRED = [
    (type_name, name)
    for type_name in sorted(EVENT_TYPES)
    for name in FULL[type_name]
    if name in {
        "representative_id", "to_queue", "public", "status", "priority", "flags", "customer_id", "commitment_id", "kind",
        "promised_for", "into_case_id", "survey_id", "route", "score",
    } and (type_name, name) not in {
        ("contact.opened", "priority"), ("contact.opened", "flags"), ("case.resolved", "representative_id"),
    }
]  # fmt: skip


@pytest.mark.parametrize(("type_name", "name"), REQUIRED)
def test_a_required_field_is_required(type_name: str, name: str) -> None:
    fields = {key: value for key, value in FULL[type_name].items() if key not in {name, "complaint"}}
    error = rejection(message(type_name, **fields))
    assert (error.reason, error.field) == ("missing_field", name)

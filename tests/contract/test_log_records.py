"""The bytes of the logs, which other programs may read."""

from __future__ import annotations

import json

import msgspec
import pytest

from models.events.canonical import ContactVersion, Definitions, Event, Mark
from stream_app.wire.canonical import decode_contact_version, decode_control, decode_event, encode


def test_an_event_leaves_its_defaults_out() -> None:
    event = Event("case.closed", 5, "e1", "c1", "contacts-0@1")
    assert json.loads(encode(event)) == {
        "type": "case.closed", "occurred_at": 5, "event_id": "e1", "case_id": "c1", "origin": "contacts-0@1",
    }  # fmt: skip
    assert decode_event(encode(event)) == event


@pytest.mark.parametrize(
    ("record", "name"),
    [(Mark({"contacts-0": 5}, {"contacts": 1}, 7), "mark"), (Definitions(3, {"zone": "UTC"}), "definitions")],
)
def test_control_records_are_told_apart_by_the_field_control(record: Mark | Definitions, name: str) -> None:
    assert json.loads(encode(record))["control"] == name
    assert decode_control(encode(record)) == record


def test_a_contact_version_comes_back_as_it_was() -> None:
    version = ContactVersion("c1\u001fk1", (0, 7), "u1", "c1", "k1", 5, ("billing", "phone", "high", "a"), reopened_at=(9,))
    assert decode_contact_version(encode(version)) == version


@pytest.mark.parametrize("decoder", [decode_event, decode_contact_version, decode_control])
def test_what_is_no_log_record_is_refused(decoder: object) -> None:
    assert callable(decoder)
    with pytest.raises(msgspec.DecodeError):
        decoder(b"{}")

"""Whatever the bytes are, the decoder raises its own error or gives events that the log can hold."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.events.canonical import Event
from models.events.contract import INPUT_TYPES
from models.events.rejection import REASONS, RejectedError
from models.events.submitted import Submitted
from stream_app.wire.canonical import decode_event, encode
from stream_app.wire.decoder import decode
from tests.support.input_records import NOW
from tests.unit.test_decoder_accepts import FULL

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=140)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3))
likely = st.sampled_from(["c1", NOW, "2026-03-02T09:00:00Z", "2016-12-31T23:59:60Z", "eta", "nps", 3, True, ["spam"], {"resolution": NOW}])
fields = st.sampled_from([*Submitted.__struct_fields__, "colour"])
objects = st.builds(
    lambda type_name, some: {"type": type_name, "occurred_at": NOW, "case_id": "c1", **FULL.get(type_name, {}), **some},
    st.sampled_from(sorted(INPUT_TYPES)),
    st.dictionaries(fields, likely | values, max_size=6),
)


def check(value: bytes) -> None:
    try:
        accepted = decode(value, NOW, "contacts-0@1")
    except RejectedError as error:
        if error.reason not in REASONS:
            raise
        return
    assert bool(accepted.events) != (accepted.up_to is not None)
    for event in accepted.events:
        assert decode_event(encode(event)) == event
        assert _is_clean(event)


def _is_clean(event: Event) -> bool:
    ids: list[Any] = [event.case_id, event.event_id]
    return all(text and text.isprintable() for text in ids) and 0 <= event.occurred_at <= NOW + 120_000


@given(st.binary(max_size=200))
def test_any_bytes(value: bytes) -> None:
    check(value)


@given(values)
def test_any_json(value: object) -> None:
    check(msgspec.json.encode(value))


@given(objects)
def test_anything_that_looks_like_an_event(value: dict[str, Any]) -> None:
    check(msgspec.json.encode(value))


@given(objects, st.data())
def test_an_event_that_was_damaged_on_the_way(value: dict[str, Any], data: st.DataObject) -> None:
    whole = bytearray(msgspec.json.encode(value))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(bytes(whole))

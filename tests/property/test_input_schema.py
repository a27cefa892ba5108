"""The JSON Schema of the input events says what the decoder does."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from models.events.contract import INPUT_TYPES
from models.events.rejection import RejectedError
from stream_app.contracts.input_schema import input_schema
from stream_app.wire.decoder import decode

SCHEMA = input_schema()
VALIDATOR = Draft202012Validator(SCHEMA, validate_formats=True)
LATER = 10**15
"""A Kafka timestamp after every event."""

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.floats(-2, 12).filter(lambda number: not number.is_integer()),
    st.sampled_from(
        ["", "x", "x" * 128, "x" * 129, "csat", "nps", "eta", "on_hold", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00", 10**13, 10**16]
    ),
    st.lists(st.sampled_from(["spam", "internal", "late", 1]), max_size=18),
    st.dictionaries(st.sampled_from(["first_reply", "resolution", "third"]), st.sampled_from([5, None, "soon", "2026-03-02T09:00:00Z"])),
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """The example of a type, with fields missing, added and changed."""
    type_name = draw(st.sampled_from(sorted(INPUT_TYPES)))
    schema = SCHEMA["$defs"][type_name]
    names = [name for name in schema["properties"] if name != "type"]
    event = dict(schema["examples"][0])
    for name in draw(st.lists(st.sampled_from([*names, "unknown"]), max_size=3, unique=True)):
        event[name] = draw(VALUES)
    for name in draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
        event.pop(name, None)
    if draw(st.integers(0, 19)) == 0:
        event["type"] = draw(st.sampled_from(["", "contact", None, 5]))
    return event


@settings(max_examples=1500, deadline=None)
@given(events())
def test_what_the_schema_takes_is_accepted_and_what_it_refuses_is_refused(event: dict[str, Any]) -> None:
    try:
        decode(msgspec.json.encode(event), LATER, "contacts-0@0")
        refused = None
    except RejectedError as error:
        refused = error
    assert VALIDATOR.is_valid(event) == (refused is None), f"{refused!r}; by the schema: {[str(e) for e in VALIDATOR.iter_errors(event)]}"

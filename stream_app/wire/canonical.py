"""Codec of the logs: canonical events, contact versions and control records (a null key and the field ``control``)."""

from __future__ import annotations

from typing import Final

import msgspec

from models.events.canonical import ContactVersion, Control, Definitions, Event, Mark

_encoder: Final = msgspec.json.Encoder()
_event_decoder: Final = msgspec.json.Decoder(Event)
_contact_decoder: Final = msgspec.json.Decoder(ContactVersion)
_control_decoder: Final[msgspec.json.Decoder[Control]] = msgspec.json.Decoder(Mark | Definitions)


def encode(record: Event | ContactVersion | Mark | Definitions) -> bytes:
    """The value of a log record; defaults are left out. The same record gives the same bytes."""
    return _encoder.encode(record)


def decode_event(value: bytes) -> Event:
    """An event of the canonical log. Raises ``msgspec.DecodeError`` if this is none."""
    return _event_decoder.decode(value)


def decode_contact_version(value: bytes) -> ContactVersion:
    """A contact of the customer log. Raises ``msgspec.DecodeError`` if this is none."""
    return _contact_decoder.decode(value)


def decode_control(value: bytes) -> Control:
    """A control record of either log. Raises ``msgspec.DecodeError`` if this is none."""
    return _control_decoder.decode(value)

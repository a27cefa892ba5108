"""What to do about each reason, and what the decoder says of a letter today."""

from __future__ import annotations

from collections.abc import Mapping

from agents.intake import SourceMapping
from models.events.rejection import RejectedError
from stream_app.wire.decoder import decode

_SENDER = "Mend the sender. For what was sent already: replay with --edit, or let the sender send it again with the same event_id."

REMEDIES: Mapping[str, str] = {
    "empty": "The record has no value. Nothing can be made of it: see why the sender writes tombstones into an input.",
    "schema_registry_bytes": "The sender frames its messages for a schema registry: let it write plain JSON.",
    "too_large": "No event is that large: the sender puts something else into it. It stands in the input until retention takes it.",
    "not_utf8": _SENDER,
    "not_json": _SENDER,
    "too_deep": _SENDER,
    "not_an_object": _SENDER,
    "unknown_schema": "The sender is newer than this installation: update Deskpulse and replay, or let it write the schema known here.",
    "unknown_type": "A misspelt type, or one of a newer version: mend the sender or update Deskpulse, then replay.",
    "missing_field": _SENDER,
    "invalid_field": _SENDER,
    "from_the_future": "The sender's clock was ahead: set it by NTP. Replay once the instant has passed; the event then counts as it is.",
    "unmapped": "No rule of the input's mapping matches: add one, restart the workers, and replay.",
    "internal_error": "A defect of this program: report it with the message, update, and replay.",
    "handler_error": "A defect of this program: report it with the message, update, and replay.",
    "conflicting_duplicate": (
        "Two events of one case have the same event_id and differ; the earlier one counts. If both happened, give this one"
        " another id: replay with --edit."
    ),
}
UNKNOWN = "Nothing of this program wrote this record into the dead-letter topic."


def remedy(reason: str) -> str:
    """What to do about a reason."""
    return REMEDIES.get(reason, UNKNOWN)


def refusal(value: bytes | None, timestamp: int, mapping: SourceMapping | None = None) -> RejectedError | None:
    """Why Intake would not take these bytes if they arrived at ``timestamp`` (ms); ``None`` if it would.

    ``mapping``: that of the input, if it has one.
    """
    try:
        (mapping or decode)(value, timestamp, "")
    except RejectedError as rejection:
        return rejection
    return None

"""What sample messages become, and why: for people who write a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.events.accepted import Accepted
from models.events.rejection import RejectedError
from stream_app.mapping.rules import Rule, Rules
from stream_app.wire.decoder import accept_fields, decode_any

_NO_TIMESTAMP = -1
"""A sample has no Kafka timestamp, so none is from the future."""
_INSTANTS = ("occurred_at", "due_first_reply", "due_resolution", "promised_for", "up_to")


@dataclass(frozen=True, slots=True)
class Trial:
    """``rules``: where those stand that made the events, or else that held. ``rejection``: None unless it would be dead-lettered."""

    message: bytes
    rules: tuple[str, ...] = ()
    events: list[dict[str, Any]] = field(default_factory=list)
    rejection: RejectedError | None = None

    @property
    def verdict(self) -> str:
        if self.rejection is not None:
            return "refused"
        return "mapped" if self.events else "ignored"

    def plain(self) -> dict[str, object]:
        """For JSON."""
        why = self.rejection
        refusal = {} if why is None else {"reason": why.reason, "field": why.field, "detail": why.detail}
        return {"verdict": self.verdict, "rules": list(self.rules), "events": self.events, **refusal}


def attempt(rules: Rules, message: bytes) -> Trial:
    """Everything that Intake does to a message, through to the events of the log."""
    held: list[Rule] = []
    try:
        accepted = [accept_fields(fields, _NO_TIMESTAMP, "") for fields in rules.events(decode_any(message), held)]
    except RejectedError as rejection:
        return Trial(message, _places(held), rejection=rejection)
    events = [event for each in accepted for event in _plain_events(each)]
    return Trial(message, _places([rule for rule in held if rule.emit] if events else held), events)


def messages_in(content: bytes) -> list[bytes]:
    """The messages of a file: the elements of a JSON array, a JSON value alone, or else one a line."""
    try:
        whole = bytes(msgspec.json.decode(content, type=msgspec.Raw)).strip()
    except (msgspec.DecodeError, RecursionError):
        return [line for line in content.splitlines() if line.strip()]
    return [bytes(each) for each in msgspec.json.decode(whole, type=list[msgspec.Raw])] if whole[:1] == b"[" else [whole]


def _places(held: list[Rule]) -> tuple[str, ...]:
    return tuple(rule.where for rule in held)


def _plain_events(accepted: Accepted) -> Iterator[dict[str, Any]]:
    """As they stand in the log, with instants that people can read."""
    if accepted.up_to is not None:
        yield {"type": "source.progress", "up_to": _shown(accepted.up_to)}
    for event in accepted.events:
        plain = msgspec.json.decode(msgspec.json.encode(event), type=dict[str, Any])
        del plain["origin"]
        yield {name: _shown(value) if name in _INSTANTS else value for name, value in plain.items()}


def _shown(instant_ms: int) -> str:
    instant = datetime.fromtimestamp(instant_ms // 1000, UTC).replace(microsecond=instant_ms % 1000 * 1000)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")

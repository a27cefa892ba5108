"""Input records as a consumer hands them out, and small messages of the input contract."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

NOW = 1_772_442_000_000
"""2026-03-02T09:00:00Z, the Kafka timestamp of records that need none in particular."""


@dataclass
class InputRecord:
    """The shape of ``agents.ports.Record``."""

    value: bytes | None
    offset: int = 0
    timestamp: int = NOW
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def message(type_name: str = "message.customer", **fields: object) -> bytes:
    """A message of that type, of case c1 at NOW unless said otherwise."""
    return msgspec.json.encode({"type": type_name, "occurred_at": NOW, "case_id": "c1", "event_id": "e1", **fields})


def record(type_name: str = "message.customer", /, *, offset: int = 0, timestamp: int = NOW, **fields: object) -> InputRecord:
    """A record that holds such a message."""
    return InputRecord(message(type_name, **fields), offset, timestamp)

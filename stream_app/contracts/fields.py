"""What a field of a published record says about itself: meaning, unit, and values that may become more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

KNOWN_VALUES = "x-known-values"
"""JSON Schema keyword of ours: the values there are today. A reader skips what it does not know, so a new one breaks nobody."""
UNIT = "x-unit"


def described(meaning: str, *, unit: str = "", known: Sequence[str] = ()) -> Meta:
    """Annotation of a field. ``known`` are today's values of a text that is open; a closed set is a ``Literal``."""
    extra: dict[str, object] = {}
    if unit:
        extra[UNIT] = unit
    if known:
        extra[KNOWN_VALUES] = list(known)
    return Meta(description=meaning, extra_json_schema=extra or None)


def instant(meaning: str) -> Meta:
    """Annotation of an integer instant."""
    return described(meaning, unit="epoch milliseconds, UTC")


def seconds(meaning: str) -> Meta:
    """Annotation of a duration."""
    return described(meaning, unit="seconds")


Fence = Annotated[tuple[int, int], described("Epoch and offset. Of two records of one key the one with the greater pair holds.")]
Id = Annotated[str, described("Stable: the same fact has the same id, however often it is delivered. Drop what you have seen.")]
Case = Annotated[str, described("The case's id, also the key of the record.")]
Queue = Annotated[str, described("Queue: a configured value, `other` or `unset`.")]
Channel = Annotated[str, described("Channel: a configured value, `other` or `unset`.")]
Priority = Annotated[str, described("Priority: a configured value, `other` or `unset`.")]
Team = Annotated[str, described("Team: a configured value, `other` or `unset`.")]
Metric = Annotated[str, described("The clock.", known=("first_reply", "resolution"))]

"""The compact form in which a row keeps its events.

An item is ``(occurred_at, rank, event_id, origin, payload)``; the rank stands for the type and the payload
is ``(customer_id, contact_id, *fields of the type)``. Items compare by their first three entries, which are unique in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final
from zlib import crc32

from models.events.canonical import Event

Payload = tuple[Any, ...]
Item = tuple[int, int, str, str, Payload]

FIELDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "contact.opened",
        ("channel", "queue", "priority", "team", "reason", "due_first_reply", "due_resolution", "flags", "tier", "complaint"),
    ),
    ("contact.answered", ("representative_id",)),
    ("contact.abandoned", ()),
    ("contact.callback_requested", ()),
    ("contact.transferred", ("to_queue", "to_team")),
    ("message.customer", ()),
    ("message.representative", ("public", "automated", "representative_id")),
    ("case.status_changed", ("status",)),
    ("case.priority_changed", ("priority",)),
    ("case.reclassified", ("reason", "team", "channel")),
    ("case.flagged", ("flags", "complaint")),
    ("case.customer_changed", ()),
    ("case.escalated", ("to_level", "to_team")),
    ("commitment.made", ("commitment_id", "kind", "promised_for")),
    ("commitment.revised", ("commitment_id", "kind", "promised_for")),
    ("commitment.fulfilled", ("commitment_id",)),
    ("contact.ended", ("talk_s", "hold_s", "after_contact_s")),
    ("case.reopened", ("reason",)),
    ("case.resolved", ("resolution_code", "representative_id", "first_contact")),
    ("case.closed", ()),
    ("case.merged", ("into_case_id",)),
    ("case.cancelled", ()),
    ("survey.sent", ("survey_id", "kind", "route")),
    ("survey.responded", ("survey_id", "kind", "route", "score", "resolved")),
)
"""Types in the order of their rank (``docs/explanation/semantics.md``) with what is kept of each."""

TYPES: Final = tuple(name for name, _ in FIELDS)
RANK: Final = {name: rank for rank, name in enumerate(TYPES)}
OPENED: Final = RANK["contact.opened"]
REOPENED: Final = RANK["case.reopened"]

_READERS: Final[dict[str, tuple[int, Callable[[Event], Payload]]]] = {
    name: (rank, attrgetter("customer_id", "contact_id", *fields)) for rank, (name, fields) in enumerate(FIELDS)
}


def item_of(event: Event) -> Item:
    """The item of a log event. Raises ``KeyError`` for a type this version does not know."""
    rank, read = _READERS[event.type]
    return event.occurred_at, rank, event.event_id, event.origin, read(event)


def content_hash(item: Item) -> int:
    """Hash of what an event says, the same in every process; breaks ties between two events of one id."""
    return crc32(repr((item[1], item[4])).encode())


def size_of(item: Item) -> int:
    """About how many serialised bytes the item takes: a bound for the row, not an account."""
    size = 24 + len(item[2]) + len(item[3])
    for part in item[4]:
        size += len(part) + 2 if isinstance(part, str) else 9
    return size


def event_of(item: Item, case_id: str) -> Event:
    """The event an item was made of, as far as the row kept it (for dead letters)."""
    at, rank, event_id, origin, payload = item
    name, fields = FIELDS[rank]
    values = dict(zip(("customer_id", "contact_id", *fields), payload, strict=True))
    return Event(type=name, occurred_at=at, event_id=event_id, case_id=case_id, origin=origin, **values)

"""What acceptance is given and what it answers."""

from __future__ import annotations

import msgspec

from models.events.canonical import Event


class Accepted(msgspec.Struct, gc=False):
    """What one input message says: events for the log, or the sender's own progress (``up_to``).

    ``occurred_at`` is what moves the message's source, if it is not ``up_to``. All in epoch milliseconds.
    """

    events: tuple[Event, ...]
    occurred_at: int = 0
    up_to: int | None = None
    unknown_fields: int = 0

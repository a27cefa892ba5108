"""One contact inside a case."""

from __future__ import annotations

from enum import IntEnum

from models.panes.dimensions import UNSET, Cell


class Outcome(IntEnum):
    """How the contact left the queue; the first one counts."""

    NONE = 0
    ANSWERED = 1
    ABANDONED = 2
    CALLED_BACK = 3


class ContactFold:
    """What is known of a contact so far. ``opened_at`` is ``None`` until its ``contact.opened`` has been taken;
    ``given_up``: abandoned or called back, before it too.
    """

    __slots__ = (
        "answered_at",
        "channel",
        "contact_id",
        "ended",
        "given_up",
        "opened_at",
        "opening_cell",
        "outcome",
        "queue",
        "queued",
        "reason",
        "team",
    )

    def __init__(self, contact_id: str) -> None:
        self.contact_id = contact_id
        self.opened_at: int | None = None
        self.queue = self.channel = self.team = UNSET
        self.opening_cell: Cell = (UNSET, UNSET, UNSET, UNSET)
        self.reason = ""
        self.queued = False
        self.answered_at: int | None = None
        self.outcome = Outcome.NONE
        self.ended = False
        self.given_up = False

"""Records of the canonical log ``deskpulse.events``: one flat event type and the control records.

Every instant is an integer of epoch milliseconds (UTC). Intake is the only writer; what stands
here has been validated, so readers do no checks of their own.
"""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One accepted input event. ``case_id`` is also the key of its log record.

    ``origin`` is the input position ``topic-partition@offset``; a later dead letter is named by it.
    A field that the type does not use keeps its default and is not written.
    """

    type: str
    occurred_at: int
    event_id: str
    case_id: str
    origin: str
    contact_id: str = ""
    customer_id: str = ""
    channel: str = ""
    queue: str = ""
    priority: str = ""
    team: str = ""
    tier: str = ""
    reason: str = ""
    representative_id: str = ""
    complaint: bool = False
    due_first_reply: int | None = None
    due_resolution: int | None = None
    flags: tuple[str, ...] = ()
    to_queue: str = ""
    to_team: str = ""
    to_level: str = ""
    talk_s: float | None = None
    hold_s: float | None = None
    after_contact_s: float | None = None
    public: bool = False
    automated: bool = False
    status: str = ""
    commitment_id: str = ""
    kind: str = ""
    promised_for: int | None = None
    resolution_code: str = ""
    first_contact: bool | None = None
    into_case_id: str = ""
    survey_id: str = ""
    score: float | None = None
    route: str = ""
    resolved: bool | None = None


class Mark(msgspec.Struct, omit_defaults=True, tag_field="control", tag="mark"):
    """Progress of sources: every event of ``source`` up to the instant is already in the log.

    ``topics`` lists every configured input topic with its partition count, so a source that no one
    has heard of yet is known to exist and holds the watermark at minus infinity. ``clock`` is the
    writer's clock (the greatest declared instant when no wall clock is in use).
    """

    sources: dict[str, int]
    topics: dict[str, int]
    clock: int
    writer: str = ""
    left: tuple[str, ...] = ()
    simulated: bool = False


FIRST_VERSION = 1
"""Of the definitions of an installation; a higher one has changed them."""


class Definitions(msgspec.Struct, omit_defaults=True, tag_field="control", tag="definitions"):
    """Policies and KPI settings that hold from this record on, unless a higher version already does."""

    version: int
    body: dict[str, object]


Control = Mark | Definitions


class ContactVersion(msgspec.Struct, omit_defaults=True, gc=False):
    """A whole contact as Cases knows it, for the customer log. The greater ``version`` of a ``key`` holds."""

    key: str
    version: tuple[int, int]
    customer_id: str
    case_id: str
    contact_id: str
    opened_at: int
    cell: tuple[str, str, str, str]
    reason: str = ""
    abandoned: bool = False
    reopened_at: tuple[int, ...] = ()
    withdrawn: bool = False

"""An input message as it is on the wire, before its type's rules: one flat struct for every type.

One flat decode is faster than a union of the contract's structs; a test holds it to them, field by field.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from models.events.fields import Due, Flags, Identifier, Kind, Label, Score, Seconds, Status
from models.events.instants import Instant

SCHEMA_VERSION = 1


class Submitted(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Every field of every type, with the defaults of ``canonical.Event``: a text that is missing is empty.

    A null means missing, but has to be left out before. ``agent_id`` is another name of ``representative_id``.
    """

    type: str = ""
    schema: int = SCHEMA_VERSION
    occurred_at: Instant | None = None
    event_id: Identifier = ""
    case_id: Identifier = ""
    contact_id: Identifier = ""
    customer_id: Identifier = ""
    channel: Label = ""
    queue: Label = ""
    priority: Label = ""
    team: Label = ""
    tier: Label = ""
    reason: Label = ""
    representative_id: Identifier = ""
    agent_id: Identifier = ""
    complaint: bool = False
    due: Due | None = None
    flags: Flags = ()
    to_queue: Label = ""
    to_team: Label = ""
    to_level: Label = ""
    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    after_contact_s: Seconds | None = None
    public: bool | None = None
    automated: bool = False
    status: Status | Literal[""] = ""
    commitment_id: Identifier = ""
    kind: Kind | Literal[""] = ""
    promised_for: Instant | None = None
    resolution_code: Label = ""
    first_contact: bool | None = None
    into_case_id: Identifier = ""
    survey_id: Identifier = ""
    score: Score | None = None
    route: Label = ""
    resolved: bool | None = None
    comment: str = ""
    up_to: Instant | None = None
    opened_at: Instant | None = None
    answered_at: Instant | None = None
    abandoned_at: Instant | None = None
    ended_at: Instant | None = None
    resolved_at: Instant | None = None

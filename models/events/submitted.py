"""An input message as it is on the wire, before its type's rules: one flat struct for every type.

One flat decode is faster than a union of the contract's structs; a test holds it to them, field by field.
"""

from __future__ import annotations

import msgspec

from models.events.fields import Due, Flags, Identifier, Kind, Label, Score, Seconds, Status
from models.events.instants import Instant

SCHEMA_VERSION = 1


class Submitted(msgspec.Struct, forbid_unknown_fields=True):
    """Every field of every type; null and absent mean the same. ``agent_id`` is another name of ``representative_id``."""

    type: str | None = None
    schema: int | None = None
    occurred_at: Instant | None = None
    event_id: Identifier | None = None
    case_id: Identifier | None = None
    contact_id: Identifier | None = None
    customer_id: Identifier | None = None
    channel: Label | None = None
    queue: Label | None = None
    priority: Label | None = None
    team: Label | None = None
    tier: Label | None = None
    reason: Label | None = None
    representative_id: Identifier | None = None
    agent_id: Identifier | None = None
    complaint: bool | None = None
    due: Due | None = None
    flags: Flags | None = None
    to_queue: Label | None = None
    to_team: Label | None = None
    to_level: Label | None = None
    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    after_contact_s: Seconds | None = None
    public: bool | None = None
    automated: bool | None = None
    status: Status | None = None
    commitment_id: Identifier | None = None
    kind: Kind | None = None
    promised_for: Instant | None = None
    resolution_code: Label | None = None
    first_contact: bool | None = None
    into_case_id: Identifier | None = None
    survey_id: Identifier | None = None
    score: Score | None = None
    route: Label | None = None
    resolved: bool | None = None
    comment: str | None = None
    up_to: Instant | None = None
    opened_at: Instant | None = None
    answered_at: Instant | None = None
    abandoned_at: Instant | None = None
    ended_at: Instant | None = None
    resolved_at: Instant | None = None

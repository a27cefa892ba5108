"""Records about single cases, as ``case-events``, ``sla-events``, ``cases`` and ``dead-letters`` hold them.

The processors write them as plain mappings, the cheapest thing to make where they are made; tests hold those to these types, byte for byte.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from models.events.rejection import REASONS
from stream_app.contracts.fields import Case, Channel, Fence, Id, Metric, Priority, Queue, Team, described, instant, seconds

CASE_EVENTS = ("opened", "first_reply", "resolved", "reopened", "closed", "escalated", "transferred", "exempt")


class CaseEvent(msgspec.Struct, forbid_unknown_fields=True):
    """Something that happened to a case, after validation and without duplicates."""

    id: Id
    case_id: Case
    kind: Annotated[str, described("What happened.", known=CASE_EVENTS)]
    occurred_at: Annotated[int, instant("When it happened at the source.")]
    event_id: Annotated[str, described("Id of the input event that says so.")]
    queue: Queue
    channel: Channel
    priority: Priority
    team: Team


class SlaEvent(msgspec.Struct, forbid_unknown_fields=True):
    """A verdict about one clock of a case, said once.

    A verdict that later events overturn is retracted, and the next one has a greater revision.
    """

    id: Id
    case_id: Case
    metric: Metric
    cycle: Annotated[int, described("Which run of the clock; 1 today.")]
    kind: Annotated[
        Literal["at_risk", "breached", "met", "retracted"],
        described("`at_risk`: most of the target is used up; `breached`, `met`: the outcome; `retracted`: the outcome no longer holds."),
    ]
    due_at: Annotated[int | None, instant("When the clock is due; null while it is paused.")]
    fulfilled_at: Annotated[int | None, instant("When it was fulfilled; null if it was not.")]
    detected_at: Annotated[int | None, instant("The log's clock when this was found.")]
    target_seconds: Annotated[float | None, seconds("The target; null if the source promised an instant.")]
    overrun_seconds: Annotated[float | None, seconds("How much later than due it was fulfilled, at least 0; null while it is not.")]
    policy: Annotated[str, described("Who set the due instant.", known=("targets", "source"))]
    revision: Annotated[int, described("Rises by one with each retraction.")]
    confirmed: Annotated[bool, described("Always true: nothing is said before the watermark has passed it.")]
    queue: Queue
    channel: Channel
    priority: Priority
    team: Team
    reason: Annotated[str, described("Why a verdict was retracted; empty otherwise.", known=("", "late_event", "exempt"))]
    alert: Annotated[bool, described("False for history that was imported: count it, wake nobody.")]


class CaseClock(msgspec.Struct, forbid_unknown_fields=True):
    """A running clock of a case."""

    metric: Metric
    state: Annotated[Literal[1, 2, 3], described("1 on time, 2 at risk, 3 overdue.")]
    due_at: Annotated[int, instant("When it is due.")]


class OpenCase(msgspec.Struct, forbid_unknown_fields=True):
    """The present state of a case that is not closed."""

    fence: Fence
    case_id: Case
    status: Annotated[str, described("Status.", known=("open", "pending_customer", "pending_third_party", "on_hold", "resolved"))]
    opened_at: Annotated[int, instant("When it was opened.")]
    first_reply_at: Annotated[int | None, instant("First public reply of a person.")]
    first_resolved_at: Annotated[int | None, instant("First resolution.")]
    awaiting_since: Annotated[int | None, instant("Since when the customer waits for an answer.")]
    queue: Queue
    channel: Channel
    priority: Priority
    team: Team
    contacts: Annotated[int, described("How many contacts it has.")]
    reopened: Annotated[int, described("How often it was reopened.")]
    settled_to: Annotated[int | None, instant("Up to when verdicts about it are final.")]
    clocks: Annotated[list[CaseClock], described("Its running clocks.")]


class ClosedCase(msgspec.Struct, forbid_unknown_fields=True):
    """The case is over or counts no more. A tombstone follows later."""

    fence: Fence
    deleted: Literal[True]


DEAD_LETTER_REASONS = (*REASONS, "conflicting_duplicate", "handler_error")


class DeadLetterHeaders(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Headers of a dead letter; all values are texts in UTF-8.

    They stand behind the headers that the message came with: of two with one name the last one is ours. The value is the
    original message, byte for byte, or (by ``cases`` and ``customers``) the log's event as JSON.
    """

    reason: Annotated[str, described("Why it was not accepted.", known=DEAD_LETTER_REASONS)]
    field: Annotated[str, described("The field at fault, or empty.")]
    detail: Annotated[str, described("More for people, at most 200 characters from Intake.")]
    topic: Annotated[str, described("Input topic it came from (logical name).")]
    partition: Annotated[str, described("Its partition there, in digits.")]
    offset: Annotated[str, described("Its offset there, in digits.")]
    by: Annotated[str, described("Who refused it.", known=("intake", "cases", "customers"))]
    timestamp: Annotated[str, described("Its Kafka timestamp, in digits; from Intake only.", unit="epoch milliseconds, UTC")] = ""
    origin: Annotated[str, described("`topic-partition@offset` in one text; from the later processors only.")] = ""
    original_size: Annotated[str, described("Bytes of the whole value, in digits, where it was cut to fit.", unit="bytes")] = ""

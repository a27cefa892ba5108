"""The input contract: one struct per event type, as a sender sees it. A field without a default is required.

These structs are the one place that says which fields a type has and which it needs: the rules of
``acceptance`` and the JSON Schema are derived from them. A required ``contact_id`` or ``case_id`` is
also satisfied by the other of the two.
"""

from __future__ import annotations

import msgspec

from models.events.fields import (
    CommitmentKind,
    Due,
    Flags,
    Identifier,
    Label,
    Score,
    Seconds,
    Status,
    SurveyKind,
)
from models.events.instants import Instant


class Submission(msgspec.Struct, kw_only=True, tag_field="type"):
    """What every type has. ``case_id`` and ``contact_id`` default to each other, ``event_id`` to a hash of the event."""

    occurred_at: Instant
    schema: int = 1
    event_id: Identifier | None = None
    case_id: Identifier | None = None
    customer_id: Identifier | None = None


class ContactSubmission(Submission, kw_only=True):
    """What the events of one contact have."""

    contact_id: Identifier


class OpeningSubmission(ContactSubmission, kw_only=True):
    """What describes a contact as it opens."""

    channel: Label | None = None
    queue: Label | None = None
    priority: Label | None = None
    reason: Label | None = None
    team: Label | None = None
    tier: Label | None = None
    complaint: bool | None = None
    due: Due | None = None
    flags: Flags | None = None


class ContactOpened(OpeningSubmission, kw_only=True, tag="contact.opened"):
    """A customer contact entered the queue, or a ticket was created."""


class ContactAnswered(ContactSubmission, kw_only=True, tag="contact.answered"):
    """A person picked up."""

    representative_id: Identifier


class ContactAbandoned(ContactSubmission, kw_only=True, tag="contact.abandoned"):
    """The customer left before an answer."""


class ContactCallbackRequested(ContactSubmission, kw_only=True, tag="contact.callback_requested"):
    """The customer left the queue for a call back."""


class ContactTransferred(ContactSubmission, kw_only=True, tag="contact.transferred"):
    """The queue changes; the customer's wait goes on."""

    to_queue: Label
    to_team: Label | None = None


class ContactEnded(ContactSubmission, kw_only=True, tag="contact.ended"):
    """Handling is over."""

    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    after_contact_s: Seconds | None = None


class MessageCustomer(Submission, kw_only=True, tag="message.customer"):
    """The customer wrote or spoke (asynchronous channels)."""

    contact_id: Identifier | None = None


class MessageRepresentative(Submission, kw_only=True, tag="message.representative"):
    """A reply; only public and human ones satisfy a clock."""

    representative_id: Identifier
    public: bool
    automated: bool | None = None
    contact_id: Identifier | None = None


class CaseStatusChanged(Submission, kw_only=True, tag="case.status_changed"):
    """Pauses and resumes clocks per policy."""

    status: Status


class CasePriorityChanged(Submission, kw_only=True, tag="case.priority_changed"):
    """Re-targets clocks."""

    priority: Label


class CaseReclassified(Submission, kw_only=True, tag="case.reclassified"):
    """Another reason, team or channel."""

    reason: Label | None = None
    team: Label | None = None
    channel: Label | None = None


class CaseFlagged(Submission, kw_only=True, tag="case.flagged"):
    """Flags that come later."""

    flags: Flags
    complaint: bool | None = None


class CaseCustomerChanged(Submission, kw_only=True, tag="case.customer_changed"):
    """The case belongs to another customer."""

    customer_id: Identifier


class CaseEscalated(Submission, kw_only=True, tag="case.escalated"):
    """The case went up."""

    to_level: Label | None = None
    to_team: Label | None = None


class CommitmentMade(Submission, kw_only=True, tag="commitment.made"):
    """A promise given to the customer."""

    commitment_id: Identifier
    kind: CommitmentKind
    promised_for: Instant


class CommitmentRevised(CommitmentMade, kw_only=True, tag="commitment.revised"):
    """A promise changed."""


class CommitmentFulfilled(CommitmentMade, kw_only=True, tag="commitment.fulfilled"):
    """A promise kept."""


class CaseResolved(Submission, kw_only=True, tag="case.resolved"):
    """The work is done; a second one without a reopening is ignored."""

    resolution_code: Label | None = None
    representative_id: Identifier | None = None
    first_contact: bool | None = None


class CaseReopened(Submission, kw_only=True, tag="case.reopened"):
    """Counts even if no resolution was seen."""

    reason: Label | None = None


class CaseClosed(Submission, kw_only=True, tag="case.closed"):
    """Final, no more reopening expected."""


class CaseMerged(Submission, kw_only=True, tag="case.merged"):
    """Leaves every KPI and clock as exempt."""

    into_case_id: Identifier


class CaseCancelled(Submission, kw_only=True, tag="case.cancelled"):
    """Leaves every KPI and clock as exempt."""


class SurveySent(Submission, kw_only=True, tag="survey.sent"):
    """A survey went out. Without ``case_id`` and ``contact_id`` its id is the key."""

    survey_id: Identifier
    kind: SurveyKind
    route: Label


class SurveyResponded(SurveySent, kw_only=True, tag="survey.responded"):
    """An answer; the latest to one ``survey_id`` holds. The comment is dropped at once."""

    score: Score
    resolved: bool | None = None
    comment: str | None = None


class SourceProgress(msgspec.Struct, kw_only=True, tag_field="type", tag="source.progress"):
    """The sender's own word that nothing older than ``up_to`` will come in this partition."""

    up_to: Instant
    occurred_at: Instant | None = None
    schema: int = 1
    event_id: Identifier | None = None


class ContactRecorded(OpeningSubmission, kw_only=True, tag="contact.recorded"):
    """A finished contact in one record; Intake splits it into events with the ids ``<event_id>#<type>``."""

    opened_at: Instant
    answered_at: Instant | None = None
    abandoned_at: Instant | None = None
    ended_at: Instant | None = None
    resolved_at: Instant | None = None
    representative_id: Identifier | None = None
    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    after_contact_s: Seconds | None = None


EVENT_TYPES: dict[str, type[Submission]] = {
    "contact.opened": ContactOpened,
    "contact.answered": ContactAnswered,
    "contact.abandoned": ContactAbandoned,
    "contact.callback_requested": ContactCallbackRequested,
    "contact.transferred": ContactTransferred,
    "contact.ended": ContactEnded,
    "message.customer": MessageCustomer,
    "message.representative": MessageRepresentative,
    "case.status_changed": CaseStatusChanged,
    "case.priority_changed": CasePriorityChanged,
    "case.reclassified": CaseReclassified,
    "case.flagged": CaseFlagged,
    "case.customer_changed": CaseCustomerChanged,
    "case.escalated": CaseEscalated,
    "commitment.made": CommitmentMade,
    "commitment.revised": CommitmentRevised,
    "commitment.fulfilled": CommitmentFulfilled,
    "case.resolved": CaseResolved,
    "case.reopened": CaseReopened,
    "case.closed": CaseClosed,
    "case.merged": CaseMerged,
    "case.cancelled": CaseCancelled,
    "survey.sent": SurveySent,
    "survey.responded": SurveyResponded,
}
"""Types that become one log record of the same type."""

INPUT_TYPES: dict[str, type[msgspec.Struct]] = {
    **EVENT_TYPES,
    "source.progress": SourceProgress,
    "contact.recorded": ContactRecorded,
}

"""What each field of an input event means, with a sample value."""

from __future__ import annotations

FIELDS: dict[str, tuple[str, object]] = {
    "type": ("What happened.", ""),
    "schema": ("Major version of the input contract.", 1),
    "occurred_at": (
        "When it happened at the source: RFC 3339 with offset, or epoch milliseconds. At most 2 min after its Kafka timestamp.",
        "2026-03-02T09:14:05.120+01:00",
    ),
    "event_id": ("Unique per event: a repeat with the same id changes nothing. Missing, it is a hash of the message.", "7f3a"),
    "case_id": ("The ticket or incident. Missing, it is `contact_id`. Printable characters only.", "T-1041"),
    "contact_id": ("The call, chat or message. Missing, it is `case_id`. Printable characters only.", "C-1"),
    "customer_id": ("The customer. Without one a case has every KPI but those about repeats.", "K-77"),
    "channel": ("How the customer came. A dimension: what the configuration does not list counts as `other`.", "phone"),
    "queue": ("The queue. A dimension.", "billing"),
    "priority": ("The priority. A dimension, and what targets go by.", "urgent"),
    "team": ("The team. A dimension.", "first-line"),
    "tier": ("The customer's service tier.", "gold"),
    "reason": ("Why the customer came, or why the case was opened again.", "invoice"),
    "complaint": ("It is a complaint.", True),
    "due": ("Instants the source has promised; they outrank targets.", {"first_reply": "2026-03-02T09:30:00+01:00"}),
    "flags": ("Marks that keep an event out of KPIs or alerts.", ["internal"]),
    "representative_id": ("The person who works on it.", "R-12"),
    "agent_id": ("Another name of `representative_id`.", "R-12"),
    "public": ("The customer can see it. Only public and human replies satisfy a clock.", True),
    "automated": ("No person wrote it.", False),
    "to_queue": ("The new queue.", "invoices"),
    "to_team": ("The new team.", "second-line"),
    "to_level": ("The new level.", "2"),
    "talk_s": ("Time spent talking, in seconds.", 182.5),
    "hold_s": ("Time on hold, in seconds.", 12),
    "after_contact_s": ("Wrap-up time after the contact, in seconds.", 30),
    "status": ("The new status; `open` after a resolution is a reopening, unless the source sends `case.reopened` itself.", "on_hold"),
    "commitment_id": ("The promise.", "P-3"),
    "kind": ("What is promised, or which kind of survey it is.", ""),
    "promised_for": ("When it is promised for: RFC 3339 with offset, or epoch milliseconds.", "2026-03-02T17:00:00+01:00"),
    "resolution_code": ("How it was resolved.", "refunded"),
    "first_contact": ("Resolved at the first contact, as the source sees it.", True),
    "into_case_id": ("The case that goes on.", "T-1000"),
    "survey_id": ("The survey; the latest answer to one counts.", "S-9"),
    "route": ("How the survey was asked. Each route has KPIs of its own.", "mail"),
    "score": ("The answer: csat 1 to 5, nps 0 to 10, ces 1 to 7.", 4),
    "resolved": ("The customer says that it was resolved.", True),
    "comment": ("Dropped at once.", "thanks"),
    "up_to": ("Nothing older will come in this partition: RFC 3339 with offset, or epoch milliseconds.", "2026-03-02T10:00:00Z"),
    "opened_at": ("When the contact opened: RFC 3339 with offset, or epoch milliseconds.", "2026-03-02T09:00:00Z"),
    "answered_at": ("When it was answered.", "2026-03-02T09:00:16Z"),
    "abandoned_at": ("When it was abandoned.", "2026-03-02T09:01:00Z"),
    "ended_at": ("When it ended.", "2026-03-02T09:04:00Z"),
    "resolved_at": ("When its case was resolved.", "2026-03-02T09:04:30Z"),
}
KINDS = {"commitment": "eta", "survey": "csat"}


def meaning(name: str) -> str:
    """What the field means. Raises ``LookupError`` for one that nobody has described."""
    if name not in FIELDS:
        raise LookupError(f"the input field {name!r} needs a meaning and a sample in stream_app/contracts/input_fields.py")
    return FIELDS[name][0]


def example(type_name: str, names: list[str]) -> dict[str, object]:
    """An event of the type with these fields."""
    own: dict[str, object] = {"type": type_name, "kind": KINDS.get(type_name.partition(".")[0])}
    return {name: own.get(name, FIELDS[name][1]) for name in names}

"""From a decoded input message to events of the canonical log, or to a rejection with its reason and field."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec

from models.events.accepted import Accepted
from models.events.canonical import Event
from models.events.fields import SCORE_RANGES
from models.events.instants import LATEST_MS, epoch_ms
from models.events.position import Position
from models.events.rejection import RejectedError
from models.events.rules import RULES, Rule
from models.events.submitted import SCHEMA_VERSION, Submitted

FUTURE_TOLERANCE_MS: Final = 120_000
"""How far after its record's Kafka timestamp an event may claim to have happened."""


def accept(submitted: Submitted, position: Position) -> Accepted:
    """Apply the rules of the message's type. Raises ``RejectedError`` and nothing else."""
    rule = RULES.get(submitted.type)
    if rule is None or submitted.schema != SCHEMA_VERSION:
        check_version_and_type(submitted.schema, submitted.type)
        if submitted.type == "source.progress":
            return Accepted(events=(), up_to=_instant(submitted.up_to, "up_to"))
        return _recorded(submitted, position)
    occurred_at = _past_instant(submitted.occurred_at, "occurred_at", position)
    event = _event(submitted, rule, occurred_at, position)
    return Accepted((event,), occurred_at)


def check_version_and_type(schema: object, type_name: object) -> None:
    """Whether this version of the contract knows such a message at all; ``type_name`` may be anything."""
    if schema is not None and schema != SCHEMA_VERSION:
        raise RejectedError("unknown_schema", "schema", f"this is version {SCHEMA_VERSION}")
    if type_name is None or type_name == "":
        raise RejectedError("missing_field", "type")
    if type_name not in _TYPE_NAMES:
        raise RejectedError("unknown_type", "type", f"{type_name!s}")


_TYPE_NAMES: Final = (*RULES, "source.progress", "contact.recorded")


def _event(submitted: Submitted, rule: Rule, occurred_at: int, position: Position) -> Event:
    if rule.has_representative and submitted.agent_id and not submitted.representative_id:
        submitted.representative_id = submitted.agent_id
    for name in rule.required:
        if getattr(submitted, name) in _MISSING and not (name == "flags" and submitted.complaint):
            raise RejectedError("missing_field", name)
    if rule.kinds:
        _check_kind(submitted, rule)
    case_id = _case_id(submitted, rule)
    event_id = submitted.event_id or _hash(position)
    if rule.about_contact and not submitted.contact_id:
        submitted.contact_id = case_id
    carried = dict(zip(rule.carried, rule.values(submitted), strict=True))
    event = Event(submitted.type, occurred_at, event_id, case_id, position.origin, **carried)
    if rule.has_due and submitted.due is not None:
        event.due_first_reply = _optional_instant(submitted.due.first_reply, "due.first_reply")
        event.due_resolution = _optional_instant(submitted.due.resolution, "due.resolution")
    if rule.has_promise:
        event.promised_for = _instant(submitted.promised_for, "promised_for")
    return event


_MISSING: Final = (None, "", ())


def _check_kind(submitted: Submitted, rule: Rule) -> None:
    kind, score = submitted.kind, submitted.score
    if kind not in rule.kinds:
        raise RejectedError("invalid_field", "kind", f"not one of {', '.join(rule.kinds)}")
    if "score" in rule.required and score is not None:
        lowest, highest = SCORE_RANGES[kind]
        if not lowest <= score <= highest:
            raise RejectedError("invalid_field", "score", f"{kind} is {lowest:g} to {highest:g}")


def _case_id(submitted: Submitted, rule: Rule) -> str:
    case_id = submitted.case_id or submitted.contact_id or (submitted.survey_id if rule.is_survey else "")
    if not case_id:
        raise RejectedError("missing_field", "case_id", "neither case_id nor contact_id")
    if not f"{case_id}{submitted.contact_id}{submitted.event_id}".isprintable():
        raise RejectedError("invalid_field", _unprintable_field(submitted), "has characters that do not print")
    return case_id


def _unprintable_field(submitted: Submitted) -> str:
    names = ("case_id", "contact_id", "event_id")
    return next((name for name in names if not getattr(submitted, name).isprintable()), "survey_id")


def _hash(position: Position) -> str:
    """The id of an event that came without one. A message that was sent twice, byte for byte, keeps its id."""
    return blake2b(position.content, digest_size=16).hexdigest()


def _instant(value: datetime | int | None, field: str) -> int:
    if value is None:
        raise RejectedError("missing_field", field)
    instant = epoch_ms(value)
    if not 0 <= instant <= LATEST_MS:
        raise RejectedError("invalid_field", field, "not between the years 1970 and 9999")
    return instant


def _optional_instant(value: datetime | int | None, field: str) -> int | None:
    return None if value is None else _instant(value, field)


def _past_instant(value: datetime | int | None, field: str, position: Position) -> int:
    instant = _instant(value, field)
    if 0 <= position.timestamp < instant - FUTURE_TOLERANCE_MS:
        raise RejectedError("from_the_future", field, f"{instant - position.timestamp} ms after its Kafka timestamp")
    return instant


_PARTS: Final = (
    ("opened_at", "contact.opened"),
    ("answered_at", "contact.answered"),
    ("abandoned_at", "contact.abandoned"),
    ("ended_at", "contact.ended"),
    ("resolved_at", "case.resolved"),
)


def _recorded(submitted: Submitted, position: Position) -> Accepted:
    """Split a finished contact into what happened, each at its own time with the id ``<event_id>#<type>``."""
    occurred_at = _past_instant(submitted.occurred_at, "occurred_at", position)
    if submitted.opened_at is None:
        raise RejectedError("missing_field", "opened_at")
    event_id = submitted.event_id or _hash(position)
    events = []
    for field, type_name in _PARTS:
        if getattr(submitted, field) is not None:
            happened = _past_instant(getattr(submitted, field), field, position)
            events.append(_part(submitted, type_name, happened, position))
            events[-1].event_id = f"{event_id}#{type_name}"
    return Accepted(tuple(events), occurred_at)


def _part(submitted: Submitted, type_name: str, happened: int, position: Position) -> Event:
    part = msgspec.structs.replace(submitted, type=type_name)
    return _event(part, _PART_RULES[type_name], happened, position)


_PART_RULES: Final = {name: replace(RULES[name], required=()) for _, name in _PARTS}
"""A recorded contact does not need to say who answered."""

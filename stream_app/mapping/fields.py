"""One field of an event: from the value that an expression finds to what the input contract takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from models.events.contract import INPUT_TYPES
from models.events.fields import Due, Score, Seconds
from models.events.instants import Instant
from models.events.rules import RULES
from models.events.submitted import Submitted
from stream_app.mapping.expressions import Evaluate
from stream_app.mapping.times import ReadTime

_SUBMITTED = {field.name: field for field in msgspec.structs.fields(Submitted)}
INSTANTS = {name for name, field in _SUBMITTED.items() if field.type == Instant | None} | set(Due.__struct_fields__)
NUMBERS = {name for name, field in _SUBMITTED.items() if field.type in {Seconds | None, Score | None}}
TEXTS = {name for name, field in _SUBMITTED.items() if field.default == ""}
DUE_FIELDS = Due.__struct_fields__
NEVER_MAPPED = frozenset({"type", "schema"})
"""``type`` is plain text in a mapping, and a mapping is written for one version of the contract."""
KNOWN = frozenset(_SUBMITTED) - NEVER_MAPPED
_HAVE_NO_CASE = {"source.progress"}


@dataclass(frozen=True, slots=True)
class How:
    """What is done to a value that an expression finds. ``default``: in place of none, or of one that the table lacks."""

    table: Mapping[str, object] | None = None
    default: object = None
    divide_by: float | None = None


def fields_of(type_name: str) -> set[str]:
    """What an event of the type can carry; ``contact_id`` stands in for ``case_id`` everywhere, ``agent_id`` for ``representative_id``."""
    names = set(INPUT_TYPES[type_name].__struct_fields__)
    if "representative_id" in names:
        names.add("agent_id")
    if type_name not in _HAVE_NO_CASE:
        names.add("contact_id")
    return names - NEVER_MAPPED


def missing_fields(type_name: str, given: set[str]) -> list[str]:
    """What an event of the type can not do without and a mapping does not give it."""
    if type_name in _HAVE_NO_CASE:
        return ["up_to"] if "up_to" not in given else []
    needed = {"occurred_at", *RULES[type_name].required} if type_name in RULES else {"occurred_at", "opened_at"}
    missing = sorted(needed - given - ({"representative_id"} if "agent_id" in given else set()))
    if not given & {"case_id", "contact_id", *(("survey_id",) if type_name.startswith("survey.") else ())}:
        missing.append("case_id or contact_id")
    return missing


def check_value(name: str, value: object) -> None:
    """Whether the contract takes a constant for this field. Raises ``ValueError`` with what it wants instead."""
    try:
        msgspec.convert({name: value}, Submitted)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).partition(" - at ")[0]) from error


def field_value(name: str, found: Evaluate, how: How, read_time: ReadTime) -> Evaluate:
    """``found`` with the table looked up, a time read and numbers written as text where the field is one.

    None means that the event does without the field. Raises ``ValueError`` where a value is not in the table or is no time.
    """
    if how.table is not None:
        return _looked_up(found, how.table, how.default)
    if name in INSTANTS:
        return _instant(found, read_time)
    plain = _text(found) if name in TEXTS else found if how.divide_by is None else _divided(found, how.divide_by)
    return plain if how.default is None else _or_default(plain, how.default)


def _looked_up(found: Evaluate, table: Mapping[str, object], default: object) -> Evaluate:
    def look_up(message: Any) -> object:
        value = found(message)
        if value is None:
            return default
        known = table.get(_key(value))
        if known is not None:
            return known
        if default is None and value != "":
            raise ValueError(f"{_shown(value)} is not in its table, which has no default")
        return default

    return look_up


def _key(value: object) -> str:
    """Keys of a table are text; what is none in the message is looked up as JSON writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _shown(value: object) -> str:
    text = _key(value)
    return f'"{text[:60]}{"…" if len(text) > 60 else ""}"'  # noqa: PLR2004 - as much as a message has room for


def _instant(found: Evaluate, read_time: ReadTime) -> Evaluate:
    def instant(message: Any) -> object:
        value = found(message)
        return None if value is None or value == "" else read_time(value)

    return instant


def _text(found: Evaluate) -> Evaluate:
    def text(message: Any) -> object:
        value = found(message)
        return str(value) if type(value) is int else value

    return text


def _divided(found: Evaluate, by: float) -> Evaluate:
    def divided(message: Any) -> object:
        value = found(message)
        return value / by if isinstance(value, int | float) and not isinstance(value, bool) else value

    return divided


def _or_default(found: Evaluate, default: object) -> Evaluate:
    def or_default(message: Any) -> object:
        value = found(message)
        return default if value is None else value

    return or_default

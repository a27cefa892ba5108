"""What each event type needs and carries, derived once from the contract's structs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, get_args

import msgspec

from models.events.contract import EVENT_TYPES
from models.events.fields import CommitmentKind, SurveyKind

_HANDLED_ALONE = {"occurred_at", "schema", "event_id", "case_id", "due", "promised_for", "comment"}
_KINDS: dict[str, tuple[str, ...]] = {"commitment": get_args(CommitmentKind), "survey": get_args(SurveyKind)}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a submission of one type is checked and copied.

    ``required`` are the fields that must be there beside the identifying ones; ``carried`` are copied
    as they are, ``values`` gets them in that order.
    """

    required: tuple[str, ...]
    carried: tuple[str, ...]
    values: Callable[[object], tuple[Any, ...]]
    kinds: tuple[str, ...]
    about_contact: bool
    has_due: bool
    has_promise: bool
    has_representative: bool
    is_survey: bool


def _values(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    only: attrgetter[Any] = attrgetter(names[0])
    return lambda submitted: (only(submitted),)


def _rule(type_name: str, struct: type[msgspec.Struct]) -> Rule:
    fields = msgspec.structs.fields(struct)
    names = {field.name for field in fields}
    carried = tuple(field.name for field in fields if field.name not in _HANDLED_ALONE)
    return Rule(
        required=tuple(f.name for f in fields if f.required and f.name not in {"occurred_at", "contact_id"}),
        carried=carried,
        values=_values(carried),
        kinds=_KINDS.get(type_name.partition(".")[0], ()),
        about_contact="contact_id" in names,
        has_due="due" in names,
        has_promise="promised_for" in names,
        has_representative="representative_id" in names,
        is_survey="survey_id" in names,
    )


RULES: dict[str, Rule] = {name: _rule(name, struct) for name, struct in EVENT_TYPES.items()}

"""How one setting is declared: its default, its meaning in words and its limits, all in one place.

The loader, the reference page and the example file all read these declarations; nothing about a key stands elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

_Value = TypeVar("_Value")
_METADATA = "setting"


@dataclass(frozen=True)
class Documented:
    """What is known of a setting besides its type: meaning, limits (inclusive), the step of a duration, allowed words."""

    meaning: str
    minimum: float | timedelta | None = None
    maximum: float | timedelta | None = None
    whole: timedelta | None = None
    choices: tuple[str, ...] = ()


def setting(
    default: _Value,
    meaning: str,
    *,
    minimum: float | timedelta | None = None,
    maximum: float | timedelta | None = None,
    whole: timedelta | None = None,
    choices: tuple[str, ...] = (),
) -> _Value:
    """A dataclass field that carries its documentation. A mutable default is copied for every instance."""
    documented = Documented(" ".join(meaning.split()), minimum, maximum, whole, choices)
    if isinstance(default, dict):
        return cast("_Value", _field(documented, default_factory=default.copy))
    return cast("_Value", _field(documented, default=default))


def section(kind: Callable[[], _Value]) -> _Value:
    """A field that holds a whole section, with that section's own defaults."""
    return dataclasses.field(default_factory=kind)


def documentation(field: dataclasses.Field[Any]) -> Documented | None:
    """The declaration of a setting; ``None`` for a field that holds a section."""
    found = field.metadata.get(_METADATA)
    return found if isinstance(found, Documented) else None


def default_of(field: dataclasses.Field[Any]) -> object:
    """The value a key has when nothing names it."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _field(documented: Documented, **options: object) -> object:
    return dataclasses.field(metadata={_METADATA: documented}, **options)  # type: ignore[call-overload]

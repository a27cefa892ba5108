"""From the written fields of an event to what finds their values, checked as far as that goes without a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from stream_app.mapping.expressions import Evaluate, compile_expression
from stream_app.mapping.fields import DUE_FIELDS, INSTANTS, NUMBERS, How, check_value, field_value, fields_of, missing_fields
from stream_app.mapping.origins import Origins
from stream_app.mapping.rules import Emit
from stream_app.mapping.times import ReadTime
from stream_app.settings.problems import suggestion
from stream_app.settings.sources import KeyPath

_FIELD_KEYS = ("from", "table", "default", "divide_by")

_LEFT_OUT = ""
"""Written for a field that an event is not to take from the defaults."""


@dataclass(frozen=True, slots=True)
class Times:
    """How times are read, and the format and zone that say so."""

    read: ReadTime
    format: str
    zone: ZoneInfo | None


def build_emit(
    origins: Origins, path: KeyPath, written: Mapping[str, Any], defaults: Mapping[str, Any], tables: Mapping[str, Any], times: Times
) -> Emit:
    """The event of a type that exists. ``defaults`` stand in for fields of the type that are not written; problems go to ``origins``."""
    type_name: str = written["type"]
    allowed = fields_of(type_name)
    for name in written.keys() - allowed - {"type"}:
        origins.unknown((*path, name), f"is no field of {type_name}.", name, sorted(allowed))
    inherited = {name: (("defaults", name), value) for name, value in defaults.items() if name in allowed}
    own = {name: ((*path, name), value) for name, value in written.items() if name in allowed}
    chosen = {name: found for name, found in (inherited | own).items() if found[1] != _LEFT_OUT}
    fields = _Fields(origins, tables, times)
    sources = tuple((name, fields.field(where, name, value)) for name, (where, value) in chosen.items())
    for missing in missing_fields(type_name, set(chosen)):
        origins.problem(path, f"{type_name} needs {missing}")
    return Emit(origins.where(path), type_name, sources)


class _Fields:
    def __init__(self, origins: Origins, tables: Mapping[str, Any], times: Times) -> None:
        self._origins = origins
        self._tables = tables
        self._times = times

    def field(self, path: KeyPath, name: str, written: object) -> Evaluate:
        """Finds nothing where the written value is wrong, which is noted."""
        if name == "due":
            return self._due(path, written)
        found = self._origins.tried(path, lambda: self._source(path, name, written))
        return found if found is not None else _nothing

    def _due(self, path: KeyPath, written: object) -> Evaluate:
        if not isinstance(written, dict):
            self._origins.problem(path, 'holds instants: write due.first_reply = "…" or due.resolution = "…"')
            return _nothing
        self._origins.refuse_unknown(path, written, DUE_FIELDS)
        parts = [(name, self.field((*path, name), name, value)) for name, value in written.items() if name in DUE_FIELDS]

        def due(message: Any) -> object:
            found = {name: value for name, find in parts if (value := find(message)) is not None}
            return found or None

        return due

    def _source(self, path: KeyPath, name: str, written: object) -> Evaluate:
        """Raises ``ValueError`` whose message completes the sentence "<field> …"."""
        if isinstance(written, str):
            return self._expression(name, written, How())
        if isinstance(written, dict):
            return self._detailed(path, name, written)
        if name in INSTANTS:
            raise ValueError("must be an expression in quotation marks that finds the instant")
        _check(name, written)
        return lambda _message: written

    def _detailed(self, path: KeyPath, name: str, written: Mapping[str, Any]) -> Evaluate:
        self._origins.refuse_unknown(path, written, _FIELD_KEYS)
        expression, default, divide_by = written.get("from"), written.get("default"), written.get("divide_by")
        if not isinstance(expression, str):
            raise ValueError('needs `from`, a JMESPath expression in quotation marks, such as { from = "priority", table = "priority" }')
        table = self._table(written.get("table"))
        if name in INSTANTS and not table is default is None:
            raise ValueError("is an instant, which no table and no default can give")
        for value in (*(table or {}).values(), *((default,) if default is not None else ())):
            _check(name, value)
        if divide_by is not None and (name not in NUMBERS or type(divide_by) not in {int, float} or not divide_by > 0):
            raise ValueError("can have a divide_by above 0 only where it is a number, such as talk_s")
        return self._expression(name, expression, How(table, default, divide_by))

    def _expression(self, name: str, text: str, how: How) -> Evaluate:
        expression = compile_expression(text)
        if expression.is_constant and how == How() and name not in INSTANTS:
            _check(name, expression.value(None))
        return field_value(name, expression.value, how, self._times.read)

    def _table(self, written: object) -> Mapping[str, object] | None:
        """The table itself, or the one of that name."""
        if written is None or isinstance(written, dict):
            return written
        if isinstance(written, str) and written in self._tables:
            table: Mapping[str, object] = self._tables[written]
            return table
        raise ValueError(f"has no table [tables.{written}] to look in.{suggestion(str(written), self._tables)}")


def _check(name: str, value: object) -> None:
    try:
        check_value(name, value)
    except ValueError as error:
        raise ValueError(f"can not be {value!r}: {error}") from error


def _nothing(_message: object) -> None:
    return None

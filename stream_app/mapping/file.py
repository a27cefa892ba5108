"""Reading a mapping file: TOML to rules, with every mistake named by its line, its key and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from models.events.contract import INPUT_TYPES
from stream_app.mapping.events import Times, build_emit
from stream_app.mapping.expressions import Expression, compile_expression
from stream_app.mapping.fields import KNOWN, NEVER_MAPPED
from stream_app.mapping.origins import Origins
from stream_app.mapping.rules import Emit, Rule, Rules
from stream_app.mapping.times import time_reader, time_zone
from stream_app.settings.problems import SettingsError, in_order
from stream_app.settings.sources import KeyPath, parse_toml, read_text

_TIMES = ("time_format", "time_zone")
_FILE_KEYS = (*_TIMES, "defaults", "tables", "rules")
_RULE_KEYS = ("when", "each", "emit", "ignore", *_TIMES)


def read_rules(file: Path) -> Rules:
    """The rules of a mapping file, ready for use. Raises ``SettingsError`` with every problem found."""
    text = read_text(file, "a mapping is looked for beside the configuration that names it")
    return parse_rules(text, str(file))


def parse_rules(text: str, name: str) -> Rules:
    """The same from a text."""
    document, lines = parse_toml(text, name)
    reader = _Reader(document, Origins(name, lines))
    rules = reader.rules()
    if reader.origins.problems:
        raise SettingsError(in_order(reader.origins.problems))
    return Rules(name, rules)


class _Reader:
    def __init__(self, document: dict[str, Any], origins: Origins) -> None:
        self.document = document
        self.origins = origins
        origins.refuse_unknown((), document, _FILE_KEYS)
        self._tables = self._named_tables()
        self._times = self._read_times((), document, Times(time_reader("rfc3339", None), "rfc3339", None))
        self._defaults = self._read_defaults()

    def rules(self) -> list[Rule]:
        written = self.document.get("rules", [])
        if not isinstance(written, list) or not written or not all(isinstance(rule, dict) for rule in written):
            self.origins.problem(("rules",), "is missing: write [[rules]] and what it does below, once for each rule")
            return []
        return [self._rule(("rules", str(number)), rule) for number, rule in enumerate(written)]

    def _rule(self, path: KeyPath, written: dict[str, Any]) -> Rule:
        self.origins.refuse_unknown(path, written, _RULE_KEYS)
        ignore = written.get("ignore", False)
        if not isinstance(ignore, bool):
            self.origins.problem((*path, "ignore"), "must be true or false")
        if ("emit" in written) == (ignore is True):
            self.origins.problem(path, "needs either [[rules.emit]] or ignore = true")
        if ignore is True and "each" in written:
            self.origins.problem((*path, "each"), "makes no sense with ignore: a message is ignored as a whole")
        return Rule(
            self.origins.where(path),
            self._expression(path, written, "when"),
            self._expression(path, written, "each"),
            self._emits(path, written, self._read_times(path, written, self._times)),
            ignore is True,
        )

    def _emits(self, path: KeyPath, rule: dict[str, Any], times: Times) -> tuple[Emit, ...]:
        path = (*path, "emit")
        written = rule.get("emit", [])
        if isinstance(written, dict):
            return self._emit(path, written, times)
        if not isinstance(written, list) or not all(isinstance(emit, dict) for emit in written) or ("emit" in rule and not written):
            self.origins.problem(path, "must hold events: write [[rules.emit]] and the event's fields below")
            return ()
        return tuple(emit for number, each in enumerate(written) for emit in self._emit((*path, str(number)), each, times))

    def _emit(self, path: KeyPath, written: dict[str, Any], times: Times) -> tuple[Emit, ...]:
        """One, or none if there is no such type."""
        type_name = written.get("type")
        if not isinstance(type_name, str) or type_name not in INPUT_TYPES:
            said = "is missing: the event's type in plain text." if type_name is None else f'is "{type_name}", which is no type of event.'
            self.origins.unknown((*path, "type"), said, str(type_name), INPUT_TYPES)
            return ()
        return (build_emit(self.origins, path, written, self._defaults, self._tables, times),)

    def _expression(self, path: KeyPath, written: Mapping[str, Any], key: str) -> Expression | None:
        if key not in written:
            return None
        return self.origins.tried((*path, key), lambda: _compile(written[key]))

    def _read_times(self, path: KeyPath, written: Mapping[str, Any], above: Times) -> Times:
        """Format and zone of this table; what it leaves out is as above it."""
        if not any(key in written for key in _TIMES):
            return above
        zone: ZoneInfo | None = above.zone
        if "time_zone" in written:
            zone = self.origins.tried((*path, "time_zone"), lambda: time_zone(_text(written["time_zone"])))
            if zone is None:
                return above
        form = written.get("time_format", above.format)
        read = self.origins.tried((*path, "time_format"), lambda: time_reader(_text(form), zone))
        return above if read is None else Times(read, form, zone)

    def _read_defaults(self) -> dict[str, Any]:
        written = self._table("defaults")
        self.origins.refuse_unknown(("defaults",), written, sorted(KNOWN))
        return {name: value for name, value in written.items() if name in KNOWN - NEVER_MAPPED}

    def _named_tables(self) -> dict[str, Any]:
        written = self._table("tables")
        for name, table in written.items():
            if not isinstance(table, dict):
                self.origins.problem(("tables", name), f"is a table: write [tables.{name}] and its values below")
        return {name: table for name, table in written.items() if isinstance(table, dict)}

    def _table(self, key: str) -> dict[str, Any]:
        written = self.document.get(key, {})
        if isinstance(written, dict):
            return written
        self.origins.problem((key,), f"is a section: write [{key}] and its keys below")
        return {}


def _compile(written: object) -> Expression:
    return compile_expression(_text(written))


def _text(written: object) -> str:
    if isinstance(written, str):
        return written
    raise ValueError("must be text in quotation marks")

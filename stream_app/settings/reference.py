"""Pages made from the declarations of the settings: the reference, the example file, the settings in force."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from stream_app.settings.durations import format_duration
from stream_app.settings.fields import Documented, documentation
from stream_app.settings.schema import InputSettings, Settings, default_inputs

_TYPES = {str: "text", int: "whole number", bool: "true or false", timedelta: "duration", Path: "file"}
_PLACEHOLDERS: dict[str, object] = {"list": ("one", "another"), "file": ""}
_INTRODUCTION = """# Configuration

<!-- Made by `make reference`; a test keeps it in step. Change the declarations instead. -->

One TOML file, by default `deskpulse.toml` in the working directory; another with `--config FILE` or
`DESKPULSE_CONFIG`. Every key has a default, and the defaults alone are a working system on one machine.
An environment variable outranks the file: `DESKPULSE_<SECTION>__<KEY>`, with two underscores wherever the file has
a dot, such as `DESKPULSE_KAFKA__BOOTSTRAP_SERVERS` or `DESKPULSE_INPUTS__CONTACTS__TOPIC`; lists there as `a,b` or JSON.
An empty name of a file means none.

Durations are text with a unit: `"500ms"`, `"20s"`, `"15m"`, `"4h"`, `"2d"`, `"1h30m"`. Unknown keys and values of
the wrong kind are refused at start. `deskpulse config check` names the line, `config show` prints what is in
force, `config example` prints a file to begin with.
"""


@dataclass(frozen=True)
class Key:
    """One key as the pages show it."""

    name: str
    kind: str
    default: object
    documented: Documented


def reference_markdown() -> str:
    """The reference page, section by section."""
    parts = [_INTRODUCTION]
    for title, kind, defaults in _sections(Settings()):
        parts.append(f"\n## [{title}]\n\n{_first_paragraph(kind)}\n\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n")
        parts.extend(_row(key) for key in _keys(kind, defaults))
    return "".join(parts)


def example_toml() -> str:
    """Every key at its default, commented out, under a comment that says what it means."""
    parts = ["# Deskpulse configuration. Every key is optional and shown with its default.\n"]
    parts.append("# Take the # away in front of what you change; `deskpulse config check` looks it over.\n")
    for title, kind, defaults in _sections(Settings()):
        parts.append(f"\n{_comment(_first_paragraph(kind))}[{title}]\n")
        for key in _keys(kind, defaults):
            parts.append(_comment(key.documented.meaning))
            shown = _PLACEHOLDERS[key.kind] if key.default is None else key.default
            parts.extend(f"# {line}\n" for line in _assignment(key.name, shown, title))
    return "".join(parts)


def effective_toml(settings: Settings) -> str:
    """``settings`` as a file that gives the same settings again."""
    parts = []
    for title, section in _tables(settings):
        parts.append(f"[{title}]\n")
        for field in _tables_last(section):
            value = getattr(section, field.name)
            parts.extend(f"{line}\n" for line in _assignment(field.name, value, title) if value is not None)
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _sections(settings: Settings) -> Iterator[tuple[str, type[Any], Any]]:
    hints = get_type_hints(Settings)
    for field in dataclasses.fields(Settings):
        if field.name == "inputs":
            yield "inputs.contacts", InputSettings, default_inputs()["contacts"]
        else:
            yield field.name, hints[field.name], getattr(settings, field.name)


def _tables(settings: Settings) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(Settings):
        if field.name == "inputs":
            yield from ((f"inputs.{_bare(name)}", given) for name, given in settings.inputs.items())
        else:
            yield field.name, getattr(settings, field.name)


def _keys(kind: type[Any], defaults: Any) -> Iterator[Key]:
    hints = get_type_hints(kind)
    for field in _tables_last(kind):
        documented = documentation(field)
        if documented is not None:
            yield Key(field.name, _kind(hints[field.name]), getattr(defaults, field.name), documented)


def _tables_last(section: Any) -> list[dataclasses.Field[Any]]:
    """Fields in the order in which TOML can have them: what comes after a table of its own would belong to that."""
    return sorted(dataclasses.fields(section), key=lambda field: str(field.type).startswith("dict["))


def _kind(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "list of lists" if get_origin(get_args(hint)[0]) is tuple else "list"
    if get_origin(hint) is dict:
        return "tables of durations" if get_origin(get_args(hint)[1]) is dict else "table of numbers"
    if hint in _TYPES:
        return _TYPES[hint]
    return _kind(next(part for part in get_args(hint) if part is not type(None)))


def _row(key: Key) -> str:
    meaning = key.documented.meaning + _limits(key.documented)
    return f"| `{key.name}` | {key.kind} | {_default(key.default)} | {meaning} |\n"


def _limits(documented: Documented) -> str:
    parts = []
    if documented.choices:
        parts.append("one of " + ", ".join(f"`{choice}`" for choice in documented.choices))
    if documented.minimum is not None:
        parts.append(f"at least {_plain(documented.minimum)}")
    if documented.maximum is not None:
        parts.append(f"at most {_plain(documented.maximum)}")
    if documented.whole is not None and documented.whole >= timedelta(days=1):
        parts.append("whole days")
    return f" ({', '.join(parts)})" if parts else ""


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "<br>".join(f"`{line}`" for line in _assignment("targets", value, "sla")) if value else "empty"
    return f"`{_toml(value)}`"


def _plain(limit: object) -> str:
    return format_duration(limit) if isinstance(limit, timedelta) else str(limit)


def _assignment(name: str, value: object, title: str) -> Iterator[str]:
    """Lines that assign ``value``; a table becomes a header and its keys."""
    if isinstance(value, dict):
        yield from _table(f"{title}.{name}", value)
    else:
        yield f"{name} = {_toml(value)}"


def _table(title: str, value: dict[str, object]) -> Iterator[str]:
    if not any(isinstance(entry, dict) for entry in value.values()):
        yield f"[{title}]"
    for key, entry in value.items():
        if isinstance(entry, dict):
            yield from _table(f"{title}.{_bare(key)}", entry)
        else:
            yield f"{_bare(key)} = {_toml(entry)}"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return f'"{format_duration(value)}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int | float) else json.dumps(str(value), ensure_ascii=False)


def _bare(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key, ensure_ascii=False)


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 110))


def _first_paragraph(kind: type[Any]) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())

"""Where values come from: one TOML file and the environment, brought into one tree that remembers each value's origin."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream_app.settings.positions import key_lines
from stream_app.settings.problems import Problem, SettingsError, suggestion

PREFIX = "DESKPULSE_"
CONFIG_VARIABLE = "DESKPULSE_CONFIG"
DEFAULT_FILE = Path("deskpulse.toml")

KeyPath = tuple[str, ...]


@dataclass(frozen=True)
class Given:
    """A value as somebody wrote it, and where. An empty table is a value too."""

    value: object
    where: str
    text: bool = False


Tree = dict[KeyPath, Given]


def configuration_file(named: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The file to read: the one named, else ``DESKPULSE_CONFIG``, else ``deskpulse.toml`` here if there is one."""
    if named is not None:
        return named
    if environment.get(CONFIG_VARIABLE):
        return Path(environment[CONFIG_VARIABLE])
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def read_file(file: Path) -> Tree:
    """Every value in the file. Raises ``SettingsError`` if it can not be read or is not TOML."""
    hint = "create it (`deskpulse config example` prints one), or name another with --config"
    return parse_text(read_text(file, hint), str(file))


def read_text(file: Path, hint: str) -> str:
    """Raises ``SettingsError`` with the hint if it can not be read."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(str(file), "", "is not UTF-8 text: save it as UTF-8")]) from error
    except OSError as error:
        raise SettingsError([Problem(str(file), "", f"can not be read ({error.strerror}): {hint}")]) from error


def parse_text(text: str, name: str) -> Tree:
    """Every value in ``text``, with ``name:line`` as origin."""
    document, lines = parse_toml(text, name)
    return {path: Given(value, f"{name}:{line_of(path, lines)}") for path, value in _leaves(document, ())}


def parse_toml(text: str, name: str) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    """The document and the lines of its keys. Raises ``SettingsError`` if it is none."""
    try:
        return tomllib.loads(text), key_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([_syntax_problem(str(error), name, text)]) from error


def read_environment(environment: Mapping[str, str], sections: Iterable[str]) -> tuple[Tree, list[Problem]]:
    """Values of ``DESKPULSE_SECTION__KEY`` variables, and problems with those that look like one but are not."""
    tree: Tree = {}
    problems = []
    known = tuple(sections)
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE:
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if len(path) > 1:
            tree[path] = Given(value, name, text=True)
        elif path[0].split("_")[0] in known:
            problems.append(Problem(name, "", _two_underscores(path[0])))
    return tree, problems


def _leaves(table: Mapping[str, object], above: KeyPath) -> Iterable[tuple[KeyPath, object]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """Of the key, else of the nearest thing around it that has one."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), 1)


def _syntax_problem(message: str, name: str, text: str) -> Problem:
    reason, _, position = message.partition(" (at ")
    if position.startswith("line "):
        where = f"{name}:{position.removeprefix('line ').split(',')[0]}"
    else:
        where = f"{name}:{text.count(chr(10)) + 1}"
    return Problem(where, "", f"not valid TOML: {reason}. Text needs quotation marks; a section looks like [kafka]")


def _two_underscores(written: str) -> str:
    section, _, rest = written.partition("_")
    meant = f"{PREFIX}{section.upper()}__{rest.upper()}"
    return "section and key are separated by two underscores." + suggestion(PREFIX + written.upper(), [meant])

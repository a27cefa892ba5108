"""On which line of a TOML file each key stands (the standard parser does not tell)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Path = tuple[str, ...]

_KEY_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_SKIPPED = re.compile(
    r"""
      \"\"\"(?:[^\\]|\\.)*?\"\"\"+    # a basic string over several lines
    | '''.*?'''+                       # a literal one
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    | \#[^\n]*
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass
class _Walk:
    text: str
    lines: dict[Path, int] = field(default_factory=dict)
    table: Path = ()
    at: int = 0
    arrays: dict[Path, int] = field(default_factory=dict)

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def note(self, path: Path) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], self.line())

    def header(self, path: Path, *, is_array: bool) -> Path:
        """``path`` with the number of the element behind each array of tables in it, and this as the table to go on with."""
        place: Path = ()
        for length, part in enumerate(path, start=1):
            place = (*place, part)
            if is_array and length == len(path):
                self.arrays[place] = self.arrays.get(place, -1) + 1
            if place in self.arrays:
                place = (*place, str(self.arrays[place]))
        self.table = place
        return place


def key_lines(text: str) -> dict[Path, int]:
    """Line (from 1) of every table header and key in ``text``, which must be valid TOML. ``[[things]]``: ``("things", "0")`` and so on.

    Keys inside an inline table stand for themselves only by the key that holds it.
    """
    walk = _Walk(text)
    while walk.at < len(text):
        _statement(walk)
    return walk.lines


def _statement(walk: _Walk) -> None:
    """Reads one header, one ``key = value``, or one character of what lies between them."""
    character = walk.text[walk.at]
    if character.isspace():
        walk.at += 1
    elif character == "#":
        _skip_value(walk)
    elif character == "[":
        is_array = walk.text.startswith("[[", walk.at)
        path, _ = _dotted(walk.text, walk.at + 1 + is_array)
        walk.note(walk.header(path, is_array=is_array))
        _skip_value(walk)
    else:
        path, after = _dotted(walk.text, walk.at)
        walk.note(walk.table + path)
        walk.at = max(after, walk.at + 1)
        _skip_value(walk)


def _dotted(text: str, at: int) -> tuple[Path, int]:
    parts: list[str] = []
    while match := _KEY_PART.match(text, at):
        parts.append(next(group for group in match.groups() if group is not None))
        at = match.end()
        if text[at : at + 1] != ".":
            break
        at += 1
    return tuple(parts), at


def _skip_value(walk: _Walk) -> None:
    """To the end of the line on which the value ends: brackets may hold several lines."""
    depth = 0
    while walk.at < len(walk.text):
        if skipped := _SKIPPED.match(walk.text, walk.at):
            walk.at = skipped.end()
            continue
        character = walk.text[walk.at]
        depth += (character in "[{") - (character in "]}")
        walk.at += 1
        if character == "\n" and depth <= 0:
            return

"""Durations as people write them: ``"500ms"``, ``"15m"``, ``"1h30m"``, ``"2d"``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[dhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")
_LONGEST = timedelta(days=36_500)

HINT = 'write a number and a unit: "500ms", "20s", "15m", "4h", "2d" or "1h30m"'


def parse_duration(text: str) -> timedelta:
    """Sum of the parts of ``text``, to the millisecond. Raises ``ValueError`` with a hint on anything else."""
    written = text.strip().lower()
    if not _WHOLE.fullmatch(written):
        raise ValueError(HINT)
    total = timedelta()
    for number, unit in _PART.findall(written):
        if float(number) * _UNITS[unit].total_seconds() > _LONGEST.total_seconds():
            raise ValueError("a duration may be at most 36500d")
        total += float(number) * _UNITS[unit]
    return timedelta(milliseconds=round(total / _UNITS["ms"]))


def format_duration(duration: timedelta) -> str:
    """The shortest spelling that ``parse_duration`` reads back as the same duration."""
    rest = milliseconds(duration)
    parts = []
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, milliseconds(size))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def milliseconds(duration: timedelta) -> int:
    """Whole milliseconds, the unit of every instant and duration inside the processors."""
    return duration // timedelta(milliseconds=1)


def whole_seconds(duration: timedelta) -> int:
    """Whole seconds, the unit at the edges."""
    return duration // timedelta(seconds=1)

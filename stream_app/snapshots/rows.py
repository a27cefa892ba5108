"""KPI records as rows to choose from and to show."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

PREFERRED_WINDOWS = ("now", "30m", "60m", "today", "7d", "28d")
"""Without a choice, a KPI is shown for the first of these windows that it has."""

PIPELINE_KPIS = ("watermark", "source_progress", "next_to_breach")
"""Records in the topic that are not KPIs."""


_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SCALES = (("d", "h", _DAY, _HOUR), ("h", "m", _HOUR, _MINUTE), ("m", "s", _MINUTE, 1))


@dataclass(frozen=True)
class Choice:
    """Which rows are wanted. Names of KPIs may hold ``*``; an empty list of windows means the preferred one of each KPI."""

    kpis: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    group: dict[str, str | None] = field(default_factory=dict)
    everything: bool = False


def parse_group(words: Sequence[str]) -> dict[str, str | None]:
    """``["queue=billing", "channel"]``: the grouping by queue and channel, of one queue and every channel."""
    parts = (word.partition("=") for word in words)
    return {name: value if given else None for name, given, value in parts}


def choose(rows: Iterable[Row], choice: Choice) -> list[Row]:
    """The wanted rows, by KPI, window and group."""
    kept = [row for row in rows if row["kpi"] not in PIPELINE_KPIS and (choice.everything or _wanted(row, choice))]
    if not choice.windows and not choice.everything:
        best = _preferred_windows(kept)
        kept = [row for row in kept if row["window"] == best[row["kpi"]]]
    return sorted(kept, key=_position)


def _wanted(row: Row, choice: Choice) -> bool:
    if choice.kpis and not any(fnmatch.fnmatchcase(row["kpi"], pattern) for pattern in choice.kpis):
        return False
    if choice.windows and row["window"] not in choice.windows:
        return False
    return _in_group(row["group"], choice.group)


def _in_group(group: dict[str, str], wanted: dict[str, str | None]) -> bool:
    """Surveys carry their route beside the dimensions of the grouping; it needs not be asked for."""
    dimensions = {name for name in group if name != "route" or "route" in wanted}
    return dimensions == set(wanted) and all(value is None or group[name] == value for name, value in wanted.items())


def _preferred_windows(rows: Iterable[Row]) -> dict[str, str]:
    best: dict[str, str] = {}
    for row in rows:
        name, window = row["kpi"], row["window"]
        if name not in best or _rank(window) < _rank(best[name]):
            best[name] = window
    return best


def _rank(window: str) -> int:
    return PREFERRED_WINDOWS.index(window) if window in PREFERRED_WINDOWS else len(PREFERRED_WINDOWS)


def _position(row: Row) -> tuple[str, int, str, str]:
    return row["kpi"], _rank(row["window"]), row["window"], group_words(row["group"])


def group_words(group: dict[str, str]) -> str:
    """``queue=billing channel=phone``; ``all`` for the total."""
    return " ".join(f"{name}={value}" for name, value in group.items()) or "all"


def value_words(value: float | None, unit: str) -> str:
    """A value for people. No data is ``n/a``, never 0."""
    if value is None:
        return "n/a"
    if unit == "ratio":
        return f"{value * 100:.1f} %"
    if unit == "seconds":
        return seconds_words(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def seconds_words(seconds: float) -> str:
    """``4.2 s``, ``3 m 20 s``, ``5 h 12 m``, ``2 d 3 h``: two units at most."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < _MINUTE:
        return f"{sign}{rest:.1f} s"
    large, small, size, step = next(scale for scale in _SCALES if rest >= scale[2])
    return f"{sign}{int(rest // size)} {large} {int(rest % size // step)} {small}"

"""How two sets of definitions differ, in the words of the configuration, and which differences a running system can take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from stream_app.settings.durations import format_duration

Body = Mapping[str, object]

ABSENT = object()
"""Stands for a key that one of the two does not have: it comes from another version of the program."""

OTHER_PREFIX = "begin under another kafka.topic_prefix and send the inputs again"

_NAMES = {
    "horizon_s": "time.horizon",
    "zone": "kpis.zone",
    "fast_tier": "kpis.live_windows",
    "dimension_cap": "dimensions.cap",
    "queued_channels": "kpis.queued_channels",
    "service_level_target_s": "kpis.service_level_target",
    "short_abandon_s": "kpis.short_abandon",
    "repeat_window_d": "kpis.repeat_window",
    "reopen_window_d": "kpis.reopen_window",
    "row_cap_bytes": "engine.row_cap_bytes",
}
_UNITS = {"_s": timedelta(seconds=1), "_d": timedelta(days=1)}
_IN_SECONDS = "sla.targets."


@dataclass(frozen=True, slots=True)
class Change:
    """One key of the configuration, what is published and what the file says, as people write it. ``refused``: why it cannot be changed."""

    key: str
    old: str
    new: str
    refused: str = ""


def changes(published: Body, wanted: Body) -> list[Change]:
    """Every difference, by key."""
    old, new = dict(_flat(published)), dict(_flat(wanted))
    pairs = ((key, old.get(key, ABSENT), new.get(key, ABSENT)) for key in sorted(old | new))
    return [_change(key, before, after) for key, before, after in pairs if before != after]


def _flat(body: Body, above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", list(value) if isinstance(value, tuple) else value


def _change(key: str, old: object, new: object) -> Change:
    refuse = _REFUSALS.get(key) or (_no_list if key.startswith("dimensions.") else _nothing)
    refused = "" if old is ABSENT or new is ABSENT else refuse(old, new)
    return Change(_NAMES.get(key, key), _words(key, old), _words(key, new), refused)


def _words(key: str, value: object) -> str:
    if value is ABSENT:
        return "not there"
    if value is None:
        return "no list"
    unit = timedelta(seconds=1) if key.startswith(_IN_SECONDS) else _UNITS.get(key[-2:])
    if unit is not None and isinstance(value, int | float):
        return format_duration(value * unit)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- what a running system cannot take --------------------------------------------------------------------

Refusal = Callable[[object, object], str]
"""Takes old and new value; why it cannot be, empty if it can."""


def _nothing(_old: object, _new: object) -> str:
    return ""


def _other_zone(_old: object, _new: object) -> str:
    return f"days that were published begin and end in the old zone, and would overlap those of the new one: {OTHER_PREFIX}"


def _other_tier(_old: object, _new: object) -> str:
    return f"the 10 s slices are either kept from the first event on or not at all: {OTHER_PREFIX}"


def _longer_horizon(old: object, new: object) -> str:
    if not _greater(new, old):
        return ""
    return f"what is older than the old horizon is forgotten, ids included, so an event sent again would count twice: {OTHER_PREFIX}"


def _higher_cap(old: object, new: object) -> str:
    if not _greater(new, old):
        return ""
    return "cases that count as `other` cannot be told apart afterwards: name the values in a list instead, which may change at any time"


def _no_list(old: object, new: object) -> str:
    if old is None or new is not None:
        return ""
    return "a list cannot be taken away, as values that count as `other` were not kept: name all values in the list"


def _greater(one: object, other: object) -> bool:
    return isinstance(one, int | float) and isinstance(other, int | float) and one > other


_REFUSALS: Mapping[str, Refusal] = {
    "zone": _other_zone,
    "fast_tier": _other_tier,
    "horizon_s": _longer_horizon,
    "dimension_cap": _higher_cap,
}

"""Dimension values: listed ones stay, others become ``other``, missing ones ``unset``, so that cells are bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNSET: Final = "unset"
OTHER: Final = "other"
NAMES: Final = ("queue", "channel", "priority", "team", "route")

Cell = tuple[str, str, str, str]
"""(queue, channel, priority, team)."""


class Dimensions:
    """Decides the value a fact carries.

    With a configured list the list decides. Without one the first ``cap`` values seen *in the log* are
    kept and later ones are ``other``; which ones those are is state of the partition (``seen``), noted for every log
    record, also for skipped ones, so that a replay decides alike.
    """

    __slots__ = ("_cap", "_listed", "_normal", "open_ended", "seen")

    def __init__(self, listed: Mapping[str, object] | None = None, cap: int = 200) -> None:
        self.seen: dict[str, list[str]] = {name: [] for name in NAMES}
        self.configure(listed or {}, cap)

    def configure(self, listed: Mapping[str, object], cap: int) -> None:
        """Take other lists; values seen before stay where no list decides."""
        self._cap = cap
        self._listed = {name: _listing(listed.get(name)) for name in NAMES}
        self.open_ended = any(values is None for values in self._listed.values())
        """Whether any dimension has no list, so that values must be noted."""
        self._normal: dict[str, dict[str, str]] = {name: _table(self._listed[name]) for name in NAMES}
        for name, values in self.seen.items():
            if self._listed[name] is None:
                self._normal[name].update({value: value for value in values})

    def restore(self, seen: Mapping[str, list[str]]) -> None:
        """Take over the values an earlier owner of the partition had seen."""
        for name, values in seen.items():
            for value in values:
                self.note(name, value)

    def note(self, name: str, value: str) -> None:
        """Register a value in log order."""
        table = self._normal[name]
        if value in table or self._listed[name] is not None:
            return
        seen = self.seen[name]
        if len(seen) < self._cap:
            seen.append(value)
            table[value] = value

    def normal(self, name: str, value: str) -> str:
        """The value as it stands in a cell."""
        return self._normal[name].get(value, OTHER)


def _listing(values: object) -> tuple[str, ...] | None:
    if not isinstance(values, list | tuple):
        return None
    return tuple(str(value) for value in values)


def _table(listed: tuple[str, ...] | None) -> dict[str, str]:
    table = {"": UNSET, UNSET: UNSET, OTHER: OTHER}
    if listed is not None:
        table.update({value: value for value in listed})
    return table

"""Balances of one group over time: the running sum of +1/-1 facts, corrected anywhere in the past."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

from models.catalogue.backlog import STATUSES
from models.panes.pane import Pane, merge

PREFIX: Final = "open_cases:"
_KEYS: Final = tuple((PREFIX + status, status) for status in STATUSES)


def split_balances(pane: Pane) -> Pane:
    """Take the balance entries out of a pane; the rest stays. Their keys become the bare statuses."""
    return {status: pane.pop(key) for key, status in _KEYS if key in pane}


class BalanceLine:
    """Base plus the sum of all slices that start before an instant.

    Prefix sums are kept as far as they are right: a change invalidates those after it only.
    """

    def __init__(self) -> None:
        self._base: Pane = {}
        self._slices: dict[int, Pane] = {}
        self._starts: list[int] = []
        self._sums: list[Pane] = []

    def rebase(self, change: Pane) -> None:
        """Change what lies before every slice."""
        merge(self._base, change)
        self._sums.clear()

    def add(self, start: int, change: Pane) -> None:
        """Change the slice that starts here."""
        if not change:
            return
        found = self._slices.get(start)
        if found is None:
            found = self._slices[start] = {}
            insort(self._starts, start)
        merge(found, change)
        del self._sums[bisect_left(self._starts, start) :]
        if not found:
            del self._slices[start]
            del self._starts[bisect_left(self._starts, start)]

    def before(self, instant: int) -> Pane:
        """The balance of everything in slices that start before the instant. Not to be changed."""
        index = bisect_left(self._starts, instant)
        while len(self._sums) < index:
            total = dict(self._sums[-1] if self._sums else self._base)
            merge(total, self._slices[self._starts[len(self._sums)]])
            self._sums.append(total)
        return self._sums[index - 1] if index else self._base

"""Results beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.peers.job import WINDOW_MS, Row, Window

CLOSING_MS = 60_000
"""A window that ends less than this before the last event may still be open: lateness, and the margins of those who wait for it."""


@dataclass(frozen=True)
class Verdict:
    """Windows by what became of them. ``open``: still missing, rightly so; ``extra``: no event belongs to them.

    ``events`` belong to the windows that were found, ``counted`` of them say these windows.
    """

    expected: int
    right: int
    wrong: int
    missing: int
    open: int
    extra: int
    events: int
    counted: int

    @property
    def all_right(self) -> bool:
        return self.right == self.expected and not self.extra

    @property
    def closed_right(self) -> bool:
        """Nothing is wrong but that the last windows are not closed yet."""
        return self.right > 0 and not (self.wrong or self.missing or self.extra)

    def __str__(self) -> str:
        if self.all_right:
            return "all"
        if self.closed_right:
            return "closed ones"
        return f"{self.right:,} of {self.expected:,}"


def compare(truth: Mapping[Window, Row], found: Mapping[Window, Row], last_instant: int) -> Verdict:
    """A window is right when its whole row is; ``last_instant`` is the event time of the newest event."""
    right = wrong = missing = still_open = 0
    for window, row in truth.items():
        if (given := found.get(window)) is None:
            end = (window[2] + 1) * WINDOW_MS
            if end + CLOSING_MS > last_instant:
                still_open += 1
            else:
                missing += 1
        elif given == row:
            right += 1
        else:
            wrong += 1
    events = sum(row[0] for window, row in truth.items() if window in found)
    counted = sum(row[0] for row in found.values())
    return Verdict(len(truth), right, wrong, missing, still_open, len(found.keys() - truth.keys()), events, counted)

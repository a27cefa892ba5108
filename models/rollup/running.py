"""Slices of one group and one tier, and sums over windows of them that move with the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.panes.pane import Nested, Pane, merge, merge_nested, remove_nested
from models.panes.windows import Bounds


class Slices:
    """Panes by start of their slice. An empty one does not exist."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.panes: dict[int, Pane] = {}

    def add(self, start: int, change: Pane) -> None:
        """Merge a change into one slice."""
        pane = self.panes.setdefault(start, {})
        merge(pane, change)
        if not pane:
            del self.panes[start]

    def within(self, start: int, end: int) -> Iterator[Pane]:
        """All panes whose slice starts in [start, end)."""
        if (end - start) // self.width < len(self.panes):
            for at in range(start, end, self.width):
                pane = self.panes.get(at)
                if pane is not None:
                    yield pane
        else:
            for at, pane in self.panes.items():
                if start <= at < end:
                    yield pane

    def forget(self, before: int) -> None:
        """Drop the slices that start before the instant."""
        for start in [start for start in self.panes if start < before]:
            del self.panes[start]


LATE_KEPT: Final = 200
"""Changes that wait to be added to a sum. With more it is made anew when it is asked for, which in a backlog it never is."""


class RunningSum:
    """The merge of the slices of one window: moving it adds and subtracts only what enters and leaves.

    Changes wait until it is asked for. ``pane`` stands as formulas read it (`nested`), so that nothing is taken apart at each look.
    """

    __slots__ = ("_late", "bounds", "pane")

    def __init__(self) -> None:
        self.bounds: Bounds = (0, 0)
        self.pane: Nested = {}
        self._late: list[Pane] = []

    def add(self, start: int, change: Pane) -> None:
        """Follow a change of a slice, if it lies in the window as it stands. The change is kept: it must not be changed any more."""
        bounds = self.bounds
        if bounds[0] <= start < bounds[1]:
            late = self._late
            late.append(change)
            if len(late) > LATE_KEPT:
                self.bounds = (0, 0)
                late.clear()

    def move(self, slices: Slices, bounds: Bounds) -> None:
        """Move to new bounds, over slices in which every change has been merged."""
        for change in self._late:
            merge_nested(self.pane, change)
        self._late.clear()
        if bounds == self.bounds:
            return
        (old_start, old_end), (start, end) = self.bounds, bounds
        self.bounds = bounds
        if start >= old_end or start < old_start or end < old_end:
            self.pane = {}
            old_end = start
        else:
            for pane in slices.within(old_start, start):
                remove_nested(self.pane, pane)
        for pane in slices.within(old_end, end):
            merge_nested(self.pane, pane)

"""Slices of one group and one tier, and sums over windows of them that move with the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.panes.pane import Pane, merge, remove
from models.panes.windows import Bounds


class Slices:
    """Panes by start of their slice. An empty one does not exist."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.panes: dict[int, Pane] = {}

    def add(self, start: int, change: Mapping[str, int]) -> None:
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


class RunningSum:
    """The merge of the slices of one window. Moving it adds and subtracts only what enters and leaves."""

    def __init__(self) -> None:
        self.bounds: Bounds = (0, 0)
        self.pane: Pane = {}

    def add(self, start: int, change: Mapping[str, int]) -> None:
        """Follow a change of a slice, if it lies in the window as it stands."""
        if self.bounds[0] <= start < self.bounds[1]:
            merge(self.pane, change)

    def move(self, slices: Slices, bounds: Bounds) -> None:
        """Move to new bounds, over slices in which every change has been merged."""
        if bounds == self.bounds:
            return
        (old_start, old_end), (start, end) = self.bounds, bounds
        self.bounds = bounds
        if start >= old_end or start < old_start or end < old_end:
            self.pane = {}
            old_end = start
        else:
            for pane in slices.within(old_start, start):
                remove(self.pane, pane)
        for pane in slices.within(old_end, end):
            merge(self.pane, pane)

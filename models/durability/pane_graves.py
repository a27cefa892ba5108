"""Deleted panes until their tombstones, slice by slice.

A slice expires as a whole, and a backlog expires very many slices within the hour for which deletions are remembered: what is
kept of a deleted pane is its cell, which all slices share.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from models.durability.compaction import Graves
from models.durability.fence import Fence
from models.durability.pane import Pane

_Burial = tuple[str, int, Fence, int]
"""(tier, slice start, fence of the deletion, number of the burial)."""
_Cells = tuple[Any, ...]
"""A `Cell` each. Compiled code would make a new tuple of what it knows to be one, and nothing would be shared."""


class PaneGraves:
    """`Graves` of panes."""

    def __init__(self) -> None:
        self._graves: Graves[_Burial, _Cells] = Graves()
        self._cells: dict[Any, Any] = {}
        self._burials = 0
        self._risen: set[Pane] = set()

    def bury(self, panes: Iterable[Pane], turn: int) -> None:
        """Of these panes the deleted ones, unless they come from here."""
        slices: dict[tuple[str, int, Fence], list[Any]] = {}
        for pane in panes:
            if pane.deleted and pane not in self._risen:
                tier, start, cell = pane.id
                slices.setdefault((tier, start, pane.fence), []).append(self._cells.setdefault(cell, cell))
        for (tier, start, fence), cells in slices.items():
            self._burials += 1
            self._graves.bury((tier, start, fence, self._burials), tuple(cells), turn)

    def take(self, turn: int) -> tuple[list[Pane], list[Pane]]:
        """(to say deleted once more, to say deleted and then forget) at this turn."""
        again, over = self._graves.take(turn)
        said, ending = _panes(again), _panes(over)
        self._risen = set(said + ending)
        return said, ending


def _panes(burials: Iterable[tuple[_Burial, _Cells]]) -> list[Pane]:
    panes = []
    for (tier, start, fence, _), cells in burials:
        for cell in cells:
            pane = Pane((tier, start, cell))
            pane.known, pane.deleted, pane.fence = True, True, fence
            panes.append(pane)
    return panes

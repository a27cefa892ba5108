"""A pane as its owner holds it, and what names it."""

from __future__ import annotations

from typing import Final

from models.durability.fence import NO_FENCE, Fence
from models.panes.dimensions import Cell

PaneId = tuple[str, int, Cell]
"""(tier, slice start, cell); tier ``base`` has the one slice 0."""

FAST: Final = "fast"
SLOW: Final = "slow"
BASE: Final = "base"


class Pane:
    """Cumulative facts of one cell and slice, with the fence up to which they are complete."""

    __slots__ = ("deleted", "facts", "fence", "id", "known")

    def __init__(self, pane_id: PaneId) -> None:
        self.id = pane_id
        self.known = False  # written or published before, so that its end must be too
        self.facts: dict[str, int] = {}
        self.fence: Fence = NO_FENCE
        self.deleted = False

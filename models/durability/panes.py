"""The panes of one partition: facts in, fences kept, expiry, and what has to be written.

Each fact goes to a fast and a slow slice of event time. Within one log record all facts of a pane are one
net change under one fence: a pane whose fence is at or past the record has it already and is skipped.
A balance that falls behind the horizon moves to the cell's *base* pane, so a backlog never loses its start.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from models.durability.compaction import Graves, Rounds
from models.durability.fence import NO_FENCE, Fence
from models.panes.dimensions import Cell
from models.panes.tiers import DAY, FAST_KEPT, FAST_WIDTH, HOUR
from models.progress.watermark import NEVER

PaneId = tuple[str, int, Cell]
"""(tier, slice start, cell); tier ``base`` has the one slice 0."""

FAST: Final = "fast"
SLOW: Final = "slow"
BASE: Final = "base"
BALANCE: Final = "open_cases:"


class Pane:
    """Cumulative facts of one cell and slice, with the fence up to which they are complete."""

    __slots__ = ("deleted", "facts", "fence", "id", "known")

    def __init__(self, pane_id: PaneId) -> None:
        self.id = pane_id
        self.known = False  # written or published before, so that its end must be too
        self.facts: dict[str, int] = {}
        self.fence: Fence = NO_FENCE
        self.deleted = False


class PaneStore:
    """Owned by one partition state; not shared."""

    def __init__(self) -> None:
        self.configure(HOUR, 35 * DAY, fast=True)
        self.fast: dict[int, dict[Cell, Pane]] = {}
        self.slow: dict[int, dict[Cell, Pane]] = {}
        self.base: dict[Cell, Pane] = {}
        self.fast_limit = NEVER
        self.slow_limit = NEVER
        self.unwritten: dict[Pane, None] = {}
        self.unpublished: dict[Pane, None] = {}
        self.beyond_horizon = 0
        self._graves: Graves[PaneId, Pane] = Graves()
        self._rounds: Rounds[Pane] = Rounds()
        self._forgotten: list[Pane] = []
        self._touched: list[Pane] = []

    def configure(self, slow_width: int, horizon: int, *, fast: bool) -> None:
        """Width of the slow slices and what is kept (ms); ``fast=False`` leaves the fast tier out."""
        self._slow_width = slow_width
        self.horizon = horizon
        self._fast = fast

    # -- facts --------------------------------------------------------------------------------------

    def add(self, key: str, at: int, cell: Cell, weight: int, fence: Fence) -> None:
        """Add a fact under the record's fence. Call ``close_record`` after the last one of the record."""
        start = at - at % self._slow_width
        if start >= self.slow_limit:
            self._add(self.slow, SLOW, start, key, cell, weight, fence)
        elif key.startswith(BALANCE):
            self._change(self._base_pane(cell), key, weight, fence)
        else:
            self.beyond_horizon += 1
        if self._fast:
            start = at - at % FAST_WIDTH
            if start >= self.fast_limit:
                self._add(self.fast, FAST, start, key, cell, weight, fence)

    def add_all(self, journal: Iterable[tuple[str, int, Cell, int]], fence: Fence) -> None:
        """``add`` for every fact of a record: those of one instant and cell look for their panes once."""
        last_at, last_cell = NEVER, None
        panes: tuple[Pane, ...] | None = None
        for key, at, cell, weight in journal:
            if at != last_at or cell is not last_cell:
                last_at, last_cell = at, cell
                panes = self._panes_at(at, cell)
                if panes is not None:
                    self._touched += panes
            if panes is None:
                self.add(key, at, cell, weight, fence)
                continue
            for pane in panes:
                if pane.fence < fence:
                    facts = pane.facts
                    amount = facts.get(key, 0) + weight
                    if amount:
                        facts[key] = amount
                    else:
                        facts.pop(key, None)

    def _panes_at(self, at: int, cell: Cell) -> tuple[Pane, ...] | None:
        """The panes of all tiers that hold the instant; ``None`` where a tier no longer keeps it."""
        start = at - at % self._slow_width
        if start < self.slow_limit:
            return None
        cells = self.slow.get(start)
        if cells is None:
            cells = self.slow[start] = {}
        slow = cells.get(cell)
        if slow is None:
            slow = cells[cell] = Pane((SLOW, start, cell))
        if not self._fast:
            return (slow,)
        start = at - at % FAST_WIDTH
        if start < self.fast_limit:
            return (slow,)
        cells = self.fast.get(start)
        if cells is None:
            cells = self.fast[start] = {}
        fast = cells.get(cell)
        if fast is None:
            fast = cells[cell] = Pane((FAST, start, cell))
        return slow, fast

    def _add(self, tier: dict[int, dict[Cell, Pane]], name: str, start: int, key: str, cell: Cell, weight: int, fence: Fence) -> None:
        cells = tier.get(start)
        if cells is None:
            cells = tier[start] = {}
        pane = cells.get(cell)
        if pane is None:
            pane = cells[cell] = Pane((name, start, cell))
        self._change(pane, key, weight, fence)

    def _base_pane(self, cell: Cell) -> Pane:
        pane = self.base.get(cell)
        if pane is None:
            pane = self.base[cell] = Pane((BASE, 0, cell))
        return pane

    def _change(self, pane: Pane, key: str, weight: int, fence: Fence) -> None:
        self._touched.append(pane)
        if pane.fence >= fence:
            return
        facts = pane.facts
        amount = facts.get(key, 0) + weight
        if amount:
            facts[key] = amount
        else:
            facts.pop(key, None)

    def close_record(self, fence: Fence) -> None:
        """Set the fence of every pane the record touched. One that was ahead is published again all the same."""
        for pane in self._touched:
            if pane.fence < fence:
                pane.fence = fence
                self.unwritten[pane] = None
            self.unpublished[pane] = None
        self._touched.clear()

    # -- time -----------------------------------------------------------------------------------------

    def advance(self, watermark: int, fence: Fence) -> None:
        """Drop the slices that the watermark has left behind; part of the mark's record."""
        self._expire(self.fast, max(self.fast_limit, _floor(watermark - FAST_KEPT, FAST_WIDTH)), fence, keep_balance=False)
        self.fast_limit = max(self.fast_limit, _floor(watermark - FAST_KEPT, FAST_WIDTH))
        limit = max(self.slow_limit, _floor(watermark - self.horizon, self._slow_width))
        self._expire(self.slow, limit, fence, keep_balance=True)
        self.slow_limit = limit

    def _expire(self, tier: dict[int, dict[Cell, Pane]], limit: int, fence: Fence, *, keep_balance: bool) -> None:
        if not tier:
            return
        for start in [start for start in tier if start < limit]:
            for cell, pane in tier.pop(start).items():
                if keep_balance:
                    self._keep_balances(cell, pane, fence)
                pane.facts = {}
                pane.deleted = True
                if pane.known or keep_balance:
                    self._touched.append(pane)
                else:
                    self.unwritten.pop(pane, None)
                    self.unpublished.pop(pane, None)

    def _keep_balances(self, cell: Cell, pane: Pane, fence: Fence) -> None:
        for key, amount in pane.facts.items():
            if key.startswith(BALANCE):
                self._change(self._base_pane(cell), key, amount, fence)

    # -- writing --------------------------------------------------------------------------------------

    def rewrite(self, checkpoint: int) -> list[Pane]:
        """Write and publish a share of the unchanged panes again, and deleted ones whose turn it is; returns those then over."""
        panes = [pane for pane in self._rounds.share(checkpoint, self._live) if not pane.deleted]
        again, over = self._graves.take(checkpoint)
        panes += [pane for _, pane in again + over]
        self.unwritten.update(dict.fromkeys(panes))
        self.unpublished.update(dict.fromkeys(panes))
        ending = [pane for _, pane in over]
        self._forgotten += ending
        return ending

    def _live(self) -> list[Pane]:
        return [*self.base.values(), *(pane for tier in (self.fast, self.slow) for cells in tier.values() for pane in cells.values())]

    def take_unwritten(self, checkpoint: int) -> list[Pane]:
        """Panes for the changelog, base first: a deletion there implies that its balances are there."""
        panes = sorted(self.unwritten, key=_base_first)
        self.unwritten = {}
        ending = set(self._forgotten)
        for pane in panes:
            pane.known = True
            if pane.deleted and pane not in ending:
                self._graves.bury(pane.id, pane, checkpoint)
        return panes

    def take_unpublished(self) -> list[Pane]:
        """Panes for the panes topic (no base: that stands in the level record)."""
        panes = [pane for pane in self.unpublished if pane.id[0] != BASE]
        self.unpublished = {}
        for pane in panes:
            pane.known = True
        return panes

    def take_forgotten(self) -> list[Pane]:
        """Deleted panes whose tombstone belongs into the panes topic too."""
        panes, self._forgotten = self._forgotten, []
        return panes

    def restore(self, panes: Iterable[Pane], limits: tuple[int, int], now: Fence) -> None:
        """Take over what the changelog held, everything to be published again.

        ``limits``: what the fast and the slow tier had dropped as of the fence ``now``. Whether a slice exists is decided by them, never by
        presence: what a zombie wrote of a slice that is gone is deleted again.
        """
        self.fast_limit, self.slow_limit = limits
        for pane in panes:
            pane.known = True
            tier, start, cell = pane.id
            if tier == BASE:
                self.base[cell] = pane
                continue
            gone = start < (self.fast_limit if tier == FAST else self.slow_limit)
            if gone and not pane.deleted:
                pane.facts, pane.deleted, pane.fence = {}, True, max(pane.fence, now)
                self.unwritten[pane] = None
                self.unpublished[pane] = None
            elif pane.deleted:
                self._graves.bury(pane.id, pane, 0)
            if not gone:
                (self.fast if tier == FAST else self.slow).setdefault(start, {})[cell] = pane
                self.unpublished[pane] = None


def _floor(at: int, width: int) -> int:
    return at - at % width


def _base_first(pane: Pane) -> bool:
    return pane.id[0] != BASE

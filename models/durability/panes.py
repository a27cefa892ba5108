"""The panes of one partition: facts in, fences kept, expiry, and what has to be written.

Each fact goes to a slow slice of event time. Within one log record all facts of a pane are one net change under one
fence: a pane whose fence is at or past the record has it already and is skipped.
A balance that falls behind the horizon moves to the cell's *base* pane, so a backlog never loses its start.

The fast slices serve the live windows and nothing else, so they follow the log's clock, and are not written: they are the sum of
the rows' facts, and recovery adds them up again. Facts ahead of the clock wait by the hour; in a backlog most of them are
out of every live window before the clock has come to them.

    ────────────┬──────── fast slices ────────┬──── ahead ────▷ event time
          clock - 2 h                   clock, full hour
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from models.durability.compaction import Rounds
from models.durability.fence import Fence
from models.durability.pane import BASE, FAST, SLOW, Pane
from models.durability.pane_graves import PaneGraves
from models.panes.dimensions import Cell
from models.panes.facts import Entry
from models.panes.tiers import DAY, FAST_KEPT, FAST_WIDTH, HOUR
from models.progress.watermark import NEVER

BALANCE: Final = "open_cases:"


class PaneStore:
    """Owned by one partition state; not shared."""

    def __init__(self) -> None:
        self.configure(HOUR, 35 * DAY, fast=True)
        self.fast: dict[int, dict[Cell, Pane]] = {}
        self.slow: dict[int, dict[Cell, Pane]] = {}
        self.base: dict[Cell, Pane] = {}
        self.fast_limit = NEVER
        self.slow_limit = NEVER
        self._fast_end = NEVER
        self._ahead: dict[int, list[Entry]] = {}
        self.unwritten: dict[Pane, None] = {}
        self.unpublished: dict[Pane, None] = {}
        self.unpublished_fast: dict[Pane, None] = {}
        self.rebased = False  # a base has changed since all panes were last taken for publishing
        self.beyond_horizon = 0
        self._graves = PaneGraves()
        self._rounds: Rounds[Pane] = Rounds()
        self._forgotten: list[Pane] = []
        self._touched: list[Pane] = []
        self._touched_fast: list[Pane] = []
        self._turn = 0

    def configure(self, slow_width: int, horizon: int, *, fast: bool) -> None:
        """Width of the slow slices and what is kept (ms); ``fast=False`` leaves the fast tier out."""
        self._slow_width = slow_width
        self.horizon = horizon
        self._fast = fast

    # -- facts --------------------------------------------------------------------------------------

    def add(self, key: str, at: int, cell: Cell, weight: int, fence: Fence) -> None:
        """Add a fact under the record's fence. Call ``close_record`` after the last one of the record."""
        self.add_all(((key, at, cell, weight),), fence)

    def add_all(self, journal: Iterable[Entry], fence: Fence) -> None:
        """``add`` for every fact of a record: those of one instant and cell look for their panes once."""
        last_at, last_cell = NEVER, None
        slow = fast = None
        ahead: list[Entry] | None = None
        for entry in journal:
            key, at, cell, weight = entry
            if at != last_at or cell != last_cell:
                last_at, last_cell = at, cell
                slow = self._slow_pane(at, cell)
                fast = ahead = None
                if self._fast and at >= self.fast_limit:
                    if at < self._fast_end:
                        fast = self._fast_pane(at, cell)
                    else:
                        ahead = self._ahead.setdefault(at - at % HOUR, [])
            if slow is None:
                self._add_beyond(key, cell, weight, fence)
            elif slow.fence < fence:
                _add(slow.facts, key, weight)
            if fast is not None:
                _add(fast.facts, key, weight)
            elif ahead is not None:
                ahead.append(entry)

    def _slow_pane(self, at: int, cell: Cell) -> Pane | None:
        """The pane that takes facts of this instant; ``None`` behind the horizon."""
        start = at - at % self._slow_width
        if start < self.slow_limit:
            return None
        pane = _pane_of(self.slow, SLOW, start, cell)
        self._touched.append(pane)
        return pane

    def _fast_pane(self, at: int, cell: Cell) -> Pane:
        pane = _pane_of(self.fast, FAST, at - at % FAST_WIDTH, cell)
        self._touched_fast.append(pane)
        return pane

    def _add_beyond(self, key: str, cell: Cell, weight: int, fence: Fence) -> None:
        """A fact behind the horizon."""
        if key.startswith(BALANCE):
            self._change(self._base_pane(cell), key, weight, fence)
        else:
            self.beyond_horizon += 1

    def _base_pane(self, cell: Cell) -> Pane:
        self.rebased = True
        pane = self.base.get(cell)
        if pane is None:
            pane = self.base[cell] = Pane((BASE, 0, cell))
        return pane

    def _change(self, pane: Pane, key: str, weight: int, fence: Fence) -> None:
        self._touched.append(pane)
        if pane.fence < fence:
            _add(pane.facts, key, weight)

    def close_record(self, fence: Fence) -> None:
        """Set the fence of every pane the record touched. One that was ahead is published again all the same."""
        for pane in self._touched:
            if pane.fence < fence:
                pane.fence = fence
                self.unwritten[pane] = None
            self.unpublished[pane] = None
        self._touched.clear()
        for pane in self._touched_fast:
            pane.fence = max(pane.fence, fence)
            self.unpublished_fast[pane] = None
        self._touched_fast.clear()

    # -- time -----------------------------------------------------------------------------------------

    def advance(self, watermark: int, clock: int, fence: Fence) -> None:
        """Drop the slices that watermark (slow) and clock (fast) have left behind, and begin those that the clock has reached."""
        limit = max(self.slow_limit, _floor(watermark - self.horizon, self._slow_width))
        if limit > self.slow_limit:
            self.slow_limit = limit
            self._expire_slow(fence)
        limit = max(self.fast_limit, _floor(clock - FAST_KEPT, FAST_WIDTH))
        if limit > self.fast_limit:
            self.fast_limit = limit
            self._expire_fast()
        end = _floor(clock, HOUR) + HOUR
        if end > self._fast_end:
            self._fast_end = end
            self._reach()

    def _expire_slow(self, fence: Fence) -> None:
        for start in [start for start in self.slow if start < self.slow_limit]:
            for cell, pane in self.slow.pop(start).items():
                self._keep_balances(cell, pane, fence)
                pane.facts, pane.deleted = {}, True
                self._touched.append(pane)

    def _expire_fast(self) -> None:
        """A pane that nobody has seen goes without a word."""
        for start in [start for start in self.fast if start < self.fast_limit]:
            for pane in self.fast.pop(start).values():
                pane.facts, pane.deleted = {}, True
                if pane.known:
                    self._touched_fast.append(pane)
                else:
                    self.unpublished_fast.pop(pane, None)

    def _reach(self) -> None:
        """The clock has reached these hours: what of them is still in its tier begins to count."""
        for hour in [hour for hour in self._ahead if hour < self._fast_end]:
            entries = self._ahead.pop(hour)
            if hour + HOUR > self.fast_limit:
                self._add_fast(entries)

    def _add_fast(self, entries: Iterable[Entry]) -> None:
        for key, at, cell, weight in entries:
            if at >= self.fast_limit:
                _add(self._fast_pane(at, cell).facts, key, weight)

    def _keep_balances(self, cell: Cell, pane: Pane, fence: Fence) -> None:
        for key, amount in pane.facts.items():
            if key.startswith(BALANCE):
                self._change(self._base_pane(cell), key, amount, fence)

    # -- writing --------------------------------------------------------------------------------------

    def rewrite(self, turn: int) -> list[Pane]:
        """Write and publish a share of the unchanged panes again, and deleted ones whose turn it is; returns those then over."""
        self._turn = turn
        panes = [pane for pane in self._rounds.share(turn, self._live) if not pane.deleted]
        again, ending = self._graves.take(turn)
        panes += again + ending
        self.unwritten.update((pane, None) for pane in panes if pane.id[0] != FAST)
        for pane in panes:
            self._publish_again(pane)
        self._forgotten += ending
        return [pane for pane in ending if pane.id[0] != FAST]

    def _publish_again(self, pane: Pane) -> None:
        (self.unpublished_fast if pane.id[0] == FAST else self.unpublished)[pane] = None

    def _live(self) -> list[Pane]:
        return [*self.base.values(), *(pane for tier in (self.fast, self.slow) for cells in tier.values() for pane in cells.values())]

    def take_unwritten(self, turn: int) -> list[Pane]:
        """Panes for the changelog, base first: a deletion there implies that its balances are there."""
        self._turn = turn
        panes = sorted(self.unwritten, key=_base_first)
        self.unwritten = {}
        self._graves.bury(panes, turn)
        return panes

    def take_unpublished(self) -> list[Pane]:
        """Panes for the panes topic (no base: that stands in the level record)."""
        panes = [pane for pane in self.unpublished if pane.id[0] != BASE]
        self.unpublished, self.rebased = {}, False
        for pane in panes:
            pane.known = True
        return panes + self.take_unpublished_fast()

    def take_unpublished_fast(self) -> list[Pane]:
        """Those of the fast tier alone. Not while ``rebased``: the base holds what withheld panes of the slow tier lose."""
        panes, self.unpublished_fast = list(self.unpublished_fast), {}
        for pane in panes:
            pane.known = True
        self._graves.bury(panes, self._turn)
        return panes

    def take_forgotten(self) -> list[Pane]:
        """Deleted panes whose tombstone belongs into the panes topic too."""
        panes, self._forgotten = self._forgotten, []
        return panes

    def restore(self, panes: Iterable[Pane], limits: tuple[int, int], now: Fence) -> None:
        """Take over what topics held, everything to be published again.

        ``limits``: what the fast and the slow tier had dropped as of the fence ``now``. Whether a slice exists is decided by them, never by
        presence: what a zombie wrote of a slice that is gone is deleted again.
        """
        self.fast_limit, self.slow_limit = limits
        deleted = []
        for pane in panes:
            pane.known = True
            tier, start, cell = pane.id
            if tier == BASE:
                self.base[cell] = pane
                continue
            gone = start < (self.fast_limit if tier == FAST else self.slow_limit)
            if gone and not pane.deleted:
                pane.facts, pane.deleted, pane.fence = {}, True, max(pane.fence, now)
                self._publish_again(pane)
                if tier == SLOW:
                    self.unwritten[pane] = None
            elif pane.deleted:
                deleted.append(pane)
            if not gone:
                (self.fast if tier == FAST else self.slow).setdefault(start, {})[cell] = pane
                self._publish_again(pane)
        self._graves.bury(deleted, 0)

    def restore_fast(self, facts: Iterable[Entry], clock: int, now: Fence) -> None:
        """Add up facts of the rows as of the fence ``now``. What had been published of them stands in the topic as it is."""
        if not self._fast:
            return
        self._fast_end = _floor(clock, HOUR) + HOUR
        limit, end = self.fast_limit, self._fast_end
        for entry in facts:
            key, at, cell, weight = entry
            if at >= end:
                self._ahead.setdefault(at - at % HOUR, []).append(entry)
            elif at >= limit:
                pane = _pane_of(self.fast, FAST, at - at % FAST_WIDTH, cell)
                pane.known, pane.fence = True, now
                _add(pane.facts, key, weight)


def _add(facts: dict[str, int], key: str, weight: int) -> None:
    amount = facts.get(key, 0) + weight
    if amount:
        facts[key] = amount
    else:
        facts.pop(key, None)


def _pane_of(tier: dict[int, dict[Cell, Pane]], name: str, start: int, cell: Cell) -> Pane:
    cells = tier.get(start)
    if cells is None:
        cells = tier[start] = {}
    pane = cells.get(cell)
    if pane is None:
        pane = cells[cell] = Pane((name, start, cell))
    return pane


def _floor(at: int, width: int) -> int:
    return at - at % width


def _base_first(pane: Pane) -> bool:
    return pane.id[0] != BASE

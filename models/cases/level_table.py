"""The levels of one partition: what is true now, kept up to date row by row and sent as one complete record.

Minima and the next clocks to breach come from heaps whose stale entries are dropped when they surface, so a
million idle cases cost nothing between changes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

from models.cases.level import AGE_NAMES, AT_RISK, NOBODY_WAITS, ON_TIME, OVERDUE
from models.cases.row import ClockLevel, Level
from models.panes.dimensions import Cell

NEXT_SHOWN: Final = 10
SLACK: Final = 64
"""Stale heap entries that are never worth a new heap."""
_STATE_NAMES: Final = {ON_TIME: ("sla_running",), AT_RISK: ("sla_running", "sla_at_risk"), OVERDUE: ("sla_overdue",)}


class _Minimum:
    """Minimum of a changing mapping of case -> instant. The heap stays within a few times the live cases."""

    __slots__ = ("_heap", "_live")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._live: dict[str, int] = {}

    def put(self, case: str, at: int) -> None:
        self._live[case] = at
        heapq.heappush(self._heap, (at, case))
        if len(self._heap) > SLACK + 4 * len(self._live):
            self._heap = [(live_at, live) for live, live_at in self._live.items()]
            heapq.heapify(self._heap)

    def remove(self, case: str) -> None:
        self._live.pop(case, None)

    def least(self) -> int | None:
        heap = self._heap
        while heap and self._live.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None


class LevelTable:
    """Counts per cell plus the minima; ``change`` is the only way in."""

    def __init__(self) -> None:
        self._counts: dict[Cell, dict[str, int]] = {}
        self._awaiting: dict[Cell, _Minimum] = {}
        self._open: dict[Cell, _Minimum] = {}
        self._clocks: dict[tuple[str, str], tuple[ClockLevel, Cell]] = {}
        self._next: list[tuple[int, str, str]] = []
        self.changed = True

    def change(self, case: str, before: Level | None, after: Level | None) -> None:
        """Replace what a case contributes."""
        if before == after:
            return
        self.changed = True
        if before is not None:
            self._take_out(case, before, after)
        if after is not None:
            self._put_in(case, after)

    def _add(self, cell: Cell, name: str, weight: int) -> None:
        counts = self._counts.setdefault(cell, {})
        amount = counts.get(name, 0) + weight
        if amount:
            counts[name] = amount
        else:
            counts.pop(name, None)
            if not counts:
                del self._counts[cell]

    def _add_clock(self, cell: Cell, clock: ClockLevel, weight: int) -> None:
        for name in _STATE_NAMES[clock[1]]:
            self._add(cell, f"{name}:{clock[0]}", weight)

    def _take_out(self, case: str, level: Level, after: Level | None) -> None:
        cell, status, age, awaiting, _, clocks = level
        self._add(cell, f"backlog:{status}", -1)
        if age >= 0:
            self._add(cell, AGE_NAMES[age], -1)
            self._open[cell].remove(case)
        if awaiting != NOBODY_WAITS:
            self._add(cell, "awaiting", -1)
            self._awaiting[cell].remove(case)
        kept = after[5] if after is not None else ()
        for clock in clocks:
            self._add_clock(cell, clock, -1)
            if clock not in kept or (after is not None and after[0] != cell):
                self._clocks.pop((case, clock[0]), None)

    def _put_in(self, case: str, level: Level) -> None:
        cell, status, age, awaiting, opened_at, clocks = level
        self._add(cell, f"backlog:{status}", 1)
        if age >= 0:
            self._add(cell, AGE_NAMES[age], 1)
            self._open.setdefault(cell, _Minimum()).put(case, opened_at)
        if awaiting != NOBODY_WAITS:
            self._add(cell, "awaiting", 1)
            self._awaiting.setdefault(cell, _Minimum()).put(case, awaiting)
        for clock in clocks:
            self._add_clock(cell, clock, 1)
            if clock[1] != OVERDUE and (case, clock[0]) not in self._clocks:
                self._clocks[case, clock[0]] = clock, cell
                heapq.heappush(self._next, (clock[2], case, clock[0]))
        if len(self._next) > SLACK + 4 * len(self._clocks):
            self._next = [(clock[2], live, metric) for (live, metric), (clock, _) in self._clocks.items()]
            heapq.heapify(self._next)

    def cells(self) -> Iterator[tuple[Cell, dict[str, int]]]:
        """Every cell with its levels, minima included."""
        for cell, counts in self._counts.items():
            levels = dict(counts)
            for name, minima in (("oldest_awaiting_at", self._awaiting), ("oldest_open_at", self._open)):
                least = minima[cell].least() if cell in minima else None
                if least is not None:
                    levels[name] = least
            yield cell, levels

    def next_to_breach(self) -> list[dict[str, object]]:
        """The ten running clocks that are due first."""
        shown: list[dict[str, object]] = []
        popped = []
        seen = set()
        while self._next and len(shown) < NEXT_SHOWN:
            entry = heapq.heappop(self._next)
            due, case, metric = entry
            live = self._clocks.get((case, metric))
            if live is None or live[0][2] != due or (case, metric) in seen:
                continue
            popped.append(entry)
            seen.add((case, metric))
            shown.append(_shown(case, *live))
        for entry in popped:
            heapq.heappush(self._next, entry)
        return shown


def _shown(case: str, clock: ClockLevel, cell: Cell) -> dict[str, object]:
    metric, state, due, warn_at = clock
    queue, channel, priority, team = cell
    return {
        "case_id": case,
        "metric": metric,
        "due_at": due,
        "warn_at": warn_at,
        "at_risk": state == AT_RISK,
        "queue": queue,
        "channel": channel,
        "priority": priority,
        "team": team,
    }

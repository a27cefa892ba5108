"""Facts of groups: their slices, and the sums over windows that follow every change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.panes.pane import Nested, Pane, merge, nested, remove
from models.panes.tiers import FAST_WIDTH, Tier, slow_width
from models.panes.windows import LIVE, SLIDING, Bounds, closing_bounds
from models.rollup.balances import BalanceLine, split_balances
from models.rollup.running import RunningSum, Slices

BACKLOG: Final = "backlog"
"""Under this name a balance stands in a merged pane, as the level of the same meaning does."""


class Touched:
    """What a flush changed: facts of a group in one slice, whether its balance moved, whether it only expired."""

    __slots__ = ("balance", "change", "expired", "group", "start", "tier")

    def __init__(self, tier: Tier, group: int, start: int, change: Pane, *, balance: bool, expired: bool) -> None:
        self.tier = tier
        self.group = group
        self.start = start
        self.change = change
        self.balance = balance
        self.expired = expired


class _Pending:
    """Net change of one slice of one group since the last flush."""

    __slots__ = ("change", "expired", "lasting")

    def __init__(self) -> None:
        self.change: Pane = {}
        self.expired: Pane = {}
        self.lasting = False


class GroupFacts:
    """Everything kept of one group."""

    __slots__ = ("balances", "days", "fast", "slow", "span", "sums")

    def __init__(self, slow: int) -> None:
        self.fast = Slices(FAST_WIDTH)
        self.slow = Slices(slow)
        self.days: dict[int, Pane] = {}
        self.span: Pane = {}
        self.balances = BalanceLine()
        self.sums: dict[str, RunningSum] = {window: RunningSum() for window in LIVE}

    def window(self, window: str, bounds: Bounds) -> Nested:
        """The merge of the slices of a live window, nested. Not to be changed."""
        running = self.sums[window]
        running.move(self.fast if window in SLIDING else self.slow, bounds)
        return running.pane

    def closed(self, window: str, bounds: Bounds) -> Pane:
        """The merge of the slices of an hour, a day or the span. Not to be changed."""
        if window == "hour":
            return self._hour(*bounds)
        return self.days.get(bounds[0], {}) if window == "day" else self.span

    def _hour(self, start: int, end: int) -> Pane:
        if end - start == self.slow.width:
            return self.slow.panes.get(start, {})
        total: Pane = {}
        for pane in self.slow.within(start, end):
            merge(total, pane)
        return total


class Facts:
    """All groups. Changes wait until `flush`, so that many records cost one step per slice and group."""

    def __init__(self, zone: str, *, span: bool = False) -> None:
        self._zone = zone
        self._span = span
        self._width = slow_width(zone)
        self._pending: dict[Tier, dict[tuple[int, int], _Pending]] = {"fast": {}, "slow": {}}
        self.groups: dict[int, GroupFacts] = {}
        self.first: int | None = None
        self.end: int | None = None

    def change(self, tier: Tier, start: int, groups: tuple[int, ...], change: Pane, *, expired: bool = False) -> None:
        """A change of one pane. What expires leaves the slices; the span keeps it."""
        if tier == "slow" and not expired:
            self.first = start if self.first is None else min(self.first, start)
            self.end = start + self._width if self.end is None else max(self.end, start + self._width)
        pending = self._pending[tier]
        for group in groups:
            found = pending.get((group, start))
            if found is None:
                found = pending[group, start] = _Pending()
            merge(found.change, change)
            if expired:
                merge(found.expired, change)
            else:
                found.lasting = True

    def flush(self) -> Iterator[Touched]:
        """Apply everything that waits."""
        for tier, pending in self._pending.items():
            if pending:
                self._pending[tier] = {}
                yield from self._apply(tier, pending)

    def _apply(self, tier: Tier, pending: dict[tuple[int, int], _Pending]) -> Iterator[Touched]:
        for (group, start), waiting in pending.items():
            change = waiting.change
            if not change and not waiting.expired:
                continue
            facts = self.of(group)
            balance = split_balances(change)
            if tier == "fast":
                self._apply_fast(facts, start, change)
            else:
                facts.balances.add(start, balance)
                self._apply_slow(facts, start, waiting)
            if change or balance:
                yield Touched(tier, group, start, change, balance=bool(balance), expired=not waiting.lasting)

    def _apply_fast(self, facts: GroupFacts, start: int, change: Pane) -> None:
        facts.fast.add(start, change)
        for window in SLIDING:
            facts.sums[window].add(start, change)

    def _apply_slow(self, facts: GroupFacts, start: int, waiting: _Pending) -> None:
        change = waiting.change
        facts.slow.add(start, change)
        for window, running in facts.sums.items():
            if window not in SLIDING:
                running.add(start, change)
        day = closing_bounds("day", start, self._zone)[0]
        pane = facts.days.setdefault(day, {})
        merge(pane, change)
        if not pane:
            del facts.days[day]
        if self._span:
            merge(facts.span, change)
            remove(facts.span, waiting.expired)

    def of(self, group: int) -> GroupFacts:
        """The facts of a group, empty at first."""
        found = self.groups.get(group)
        if found is None:
            found = self.groups[group] = GroupFacts(self._width)
        return found

    def rebase(self, groups: tuple[int, ...], change: Pane) -> None:
        """Change the balances of groups before every slice; keys are bare statuses."""
        for group in groups:
            self.of(group).balances.rebase(change)

    def closed_pane(self, group: int, window: str, bounds: Bounds) -> Nested:
        """Everything of an hour, a day or the span, with the backlog at its end."""
        facts = self.of(group)
        merged = nested(facts.closed(window, bounds))
        balance = facts.balances.before(bounds[1])
        if balance:
            merged[BACKLOG] = dict(balance)
        return merged

    def forget(self, fast_before: int, slow_before: int) -> None:
        """Drop what no window reaches any more."""
        for facts in self.groups.values():
            facts.fast.forget(fast_before)
            for day in [day for day in facts.days if day < slow_before]:
                del facts.days[day]

"""Rows of live windows and of levels: published when they change, the total first, the rest in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from models.catalogue.entry import Kpi
from models.catalogue.formulas import Level
from models.catalogue.registry import BY_ID, evaluate
from models.catalogue.values import KpiValue
from models.panes.pane import Nested, nested
from models.panes.windows import NOW, SLIDING, Bounds, live_bounds
from models.rollup.facts import Facts, Touched
from models.rollup.groups import Groups
from models.rollup.levels import Levels
from models.rollup.records import KpiRecord, KpiRow
from models.rollup.rows import kpis_of, record_of, row_group, row_name, row_parts, vanished
from models.rollup.settings import RollupSettings

AGE_STEP: Final = 10_000
"""Ages grow all the time; they are published again after this much of the log's clock (ms)."""

LEVELS: Final = tuple(kpi for kpi in kpis_of(NOW) if isinstance(kpi.formula, Level))
ZERO: Final = KpiValue(0)
NONE: Final[frozenset[str]] = frozenset()

Pair = tuple[int, str]
"""Group and window."""
Rank = tuple[int, int]
"""End of the window and watermark: of two records of a row the greater one holds."""
OURS: Final[Rank] = (1 << 62, 0)
"""Stands for the rank of what was published by this object, which is not kept: nobody else is further."""


class LiveRows:
    """What was last published of every (group, window), and what waits to be looked at again."""

    def __init__(self, settings: RollupSettings, groups: Groups, facts: Facts, levels: Levels) -> None:
        self._zone, self._groups, self._facts, self._levels = settings.zone, groups, facts, levels
        self._kpis = {window: kpis_of(window) for window in (*settings.live, NOW)}
        self._fast = tuple(window for window in settings.live if window in SLIDING)
        self._slow = tuple(window for window in settings.live if window not in SLIDING)
        self._bounds: dict[str, Bounds] = {}
        self._dirty: dict[Pair, None] = {}
        self._aged_at = 0
        self._ranks: dict[Pair, dict[str, Rank]] = {}
        self._contested: dict[Pair, set[str]] = {}
        self.published: dict[Pair, dict[str, KpiValue]] = {}

    def read(self, group: int, window: str, name: str, record: KpiRecord | None) -> None:
        """A row as published, by whoever it was, in the topic's order; ``None`` deletes it. It is looked at again.

        One that is older than the one before it and says something else is published anew, as in `ClosingWindow.read`.
        """
        pair = (group, window)
        self._dirty[pair] = None
        rows, ranks = self.published.setdefault(pair, {}), self._ranks.setdefault(pair, {})
        contested = self._contested.setdefault(pair, set())
        if record is None:
            rows.pop(name, None)
            return
        rank, value = (record.window_end or 0, record.watermark or 0), record.kpi_value()
        if rank >= ranks.get(name, OURS if name in rows else rank):
            contested.discard(name)
            ranks[name] = rank
        elif value != rows[name]:
            contested.add(name)
        rows[name] = value

    def touch(self, touched: Touched) -> None:
        """Mark the windows that a change lies in."""
        for window in self._fast if touched.tier == "fast" else self._slow:
            bounds = self._bounds.get(window)
            if bounds is not None and bounds[0] <= touched.start < bounds[1]:
                self._dirty[touched.group, window] = None

    def move(self, clock: int) -> None:
        """Move all windows to the log's clock; those that moved are looked at again in every group."""
        for window in (*self._fast, *self._slow):
            bounds = live_bounds(window, clock, self._zone)
            if bounds != self._bounds.get(window):
                self._bounds[window] = bounds
                for group in self._facts.groups:
                    self._dirty[group, window] = None
        if clock >= self._aged_at + AGE_STEP:
            self._aged_at = clock
            self._levels.changed.update(self._levels.groups_with_instants())

    def waiting(self) -> bool:
        """Whether the budget of the last publish left something."""
        return bool(self._dirty)

    def publish(self, clock: int, watermark: int | None, budget: int) -> Iterator[KpiRow]:
        """Rows that changed. The total of now and of short windows always; others as far as the budget goes, in the order of change."""
        self._ranks.clear()
        changed = self._levels.changed
        self._levels.changed = set()
        for group in changed:
            self._dirty[group, NOW] = None
        for pair in self._chosen(budget):
            del self._dirty[pair]
            yield from self._emit(pair, clock, watermark)

    def _chosen(self, budget: int) -> list[Pair]:
        first: list[Pair] = []
        rest: list[Pair] = []
        for pair in self._dirty:
            (rest if self._groups.labels[pair[0]] or pair[1] in self._slow else first).append(pair)
        return first + rest[:budget]

    def _emit(self, pair: Pair, clock: int, watermark: int | None) -> Iterator[KpiRow]:
        group, window = pair
        rows, contested = self.published.get(pair, {}), self._contested.pop(pair, NONE)
        pane = self._pane(group, window)
        zeros = self._zeros(pane, group) if window == NOW else ()
        if not pane and not rows and not zeros:
            return
        seen: dict[str, KpiValue] = {}
        for kpi, route, value in evaluate(self._kpis.get(window, ()), pane, clock):
            name = row_name(kpi.id, route)
            seen[name] = value
            if rows.get(name) != value or name in contested:
                yield self._row(kpi, route, value, pair, watermark)
        for kpi in zeros:
            if kpi.id not in seen:
                value = seen[kpi.id] = ZERO
                if rows.get(kpi.id) != value or kpi.id in contested:
                    yield self._row(kpi, "", value, pair, watermark)
        for name in rows.keys() - seen.keys():
            of, route = row_parts(name)
            seen[name] = vanished(BY_ID[of])
            if rows[name] != seen[name] or name in contested:
                yield self._row(BY_ID[of], route, seen[name], pair, watermark)
        self.published[pair] = seen

    def _zeros(self, pane: Nested, group: int) -> tuple[Kpi, ...]:
        """The levels that are zero where the pane has none: once all are known, of the total and of groups with any."""
        if self._levels.complete() and (pane or not self._groups.labels[group]):
            return LEVELS
        return ()

    def _pane(self, group: int, window: str) -> Nested:
        if window == NOW:
            return nested(self._levels.of(group))
        return self._facts.of(group).window(window, self._bounds[window])

    def _row(self, kpi: Kpi, route: str, value: KpiValue, pair: Pair, watermark: int | None) -> KpiRow:
        group, window = pair
        labels = row_group(self._groups.labels[group], route)
        record = record_of(kpi, value, window, self._bounds.get(window), labels, watermark, "provisional")
        return KpiRow("kpis", kpi.id, window, labels, None, record)

    def current(self) -> Iterable[tuple[Kpi, str, dict[str, str], KpiValue]]:
        """Every row as last published: KPI, window, group, value."""
        for (group, window), rows in self.published.items():
            for name, value in rows.items():
                kpi, route = row_parts(name)
                yield BY_ID[kpi], window, row_group(self._groups.labels[group], route), value

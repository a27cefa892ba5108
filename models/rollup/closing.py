"""Final rows of hours and days: written when the watermark is past, corrected with a revision after that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

from models.catalogue.entry import Kpi
from models.catalogue.registry import BY_ID, evaluate, reads
from models.catalogue.values import KpiValue, Signature
from models.panes.pane import names
from models.panes.windows import SETTLING, Bounds, closing_bounds
from models.rollup.contested import Contested
from models.rollup.facts import BACKLOG, Facts, Touched
from models.rollup.groups import Groups
from models.rollup.records import KpiRecord, KpiRow
from models.rollup.rows import kpis_of, record_of, row_group, row_name, row_parts, signature, vanished
from models.rollup.settings import RollupSettings

Place = tuple[int, int]
"""Start of the window and number of the group."""
Row = tuple[int, int, str]
"""A place and the name of a row in it."""


class ClosingWindow:
    """One kind of final row (``hour`` or ``day``).

    A balance has a row in every day; in an hour only where the group had any fact that hours show, the hours between repeat it.
    """

    def __init__(self, window: str, settings: RollupSettings, groups: Groups, facts: Facts) -> None:
        self._window, self._zone, self._groups, self._facts = window, settings.zone, groups, facts
        self._horizon = settings.horizon
        self._kpis = kpis_of(window)
        self._names = frozenset(name for kpi in self._kpis for name in reads(kpi))
        self._through: int | None = None
        self._open: dict[int, set[int]] = {}
        self._revise: dict[Place, set[str]] = {}
        self._rows: dict[int, dict[int, dict[str, Signature]]] = {}
        self._revisions: dict[Row, int] = {}
        self._contested: Contested[Row] = Contested()

    def touch(self, touched: Touched) -> None:
        """Remember which window a change is for, or which rows it corrects."""
        relevant = names(touched.change) & self._names
        if touched.balance:
            relevant.add(BACKLOG)
        if not relevant:
            return
        start = closing_bounds(self._window, touched.start, self._zone)[0]
        if self._look_at(start, touched.group, relevant) and touched.balance:
            self.rebalance(touched.group, start)

    def _look_at(self, start: int, group: int, relevant: AbstractSet[str]) -> bool:
        """What has changed is looked at when the window closes, or to correct its rows: whether it is closed."""
        if self._through is None or closing_bounds(self._window, start, self._zone)[1] > self._through:
            self._open.setdefault(start, set()).add(group)
            return False
        self._revise.setdefault((start, group), set()).update(relevant)
        return True

    def rebalance(self, group: int, since: int) -> None:
        """The balance of a group has changed at the end of every window from here on."""
        for start, rows in self._rows.items():
            if start >= since and (group in rows or self._window == "day"):
                self._revise.setdefault((start, group), set()).add(BACKLOG)

    def read(self, start: int, group: int, name: str, record: KpiRecord) -> None:
        """A row as published, by whoever it was, in the topic's order. It is looked at again: its facts may have gone unseen.

        A row that does not follow the one before it was written by an owner that had lost the topic without knowing it. The last
        record then is not the one with the greatest revision, and readers go by either: it is published anew, greater than both.
        """
        self._look_at(start, group, self._names)
        rows = self._rows.setdefault(start, {}).setdefault(group, {})
        row, value, revision = (start, group, name), signature(record.kpi_value()), record.revision or 1
        greatest = self._revisions.get(row, 1) if name in rows else 0
        if self._contested.read(row, revision, greatest, same=rows.get(name) == value):
            rows[name] = value
            if revision > 1:
                self._revisions[row] = revision

    def close(self, watermark: int, budget: int) -> Iterator[KpiRow]:
        """Rows of every window that is final now, in order, whole windows until the budget of groups is used up."""
        limit = self._limit(watermark)
        if limit is None:
            return
        for start, end in self._due(limit):
            groups = self._open.pop(start, set())
            self._through = end
            if self._gone(start, watermark):
                continue
            if self._window == "day":
                groups |= {group for group, facts in self._facts.groups.items() if facts.balances.before(end)}
            for group in sorted(groups):
                yield from self._emit((start, end), group, self._kpis, watermark)
            budget -= len(groups)
            if budget <= 0:
                return
        self._through = limit if self._through is None else max(limit, self._through)

    def _limit(self, watermark: int) -> int | None:
        """End of the last window that may be closed: never beyond the window of the last fact."""
        if self._facts.end is None:
            return None
        final = closing_bounds(self._window, watermark - SETTLING, self._zone)[0]
        return min(final, closing_bounds(self._window, self._facts.end - 1, self._zone)[1])

    def _due(self, limit: int) -> Iterator[Bounds]:
        if self._window != "day":
            for start in sorted(start for start in self._open if start < limit):
                yield closing_bounds(self._window, start, self._zone)
            return
        at = self._through if self._through is not None else min(self._open, default=limit)
        while at < limit:
            bounds = closing_bounds(self._window, at, self._zone)
            yield bounds
            at = bounds[1]

    def behind(self, watermark: int) -> int | None:
        """The instant through which everything is closed, if that is not yet all that could be."""
        limit = self._limit(watermark)
        if limit is None or (self._through is not None and self._through >= limit):
            return None
        return self._through if self._through is not None else min(self._open, default=limit)

    def revise(self, watermark: int, budget: int) -> Iterator[KpiRow]:
        """Corrections of rows that were final."""
        for place in list(islice(self._revise, budget)):
            changed = self._revise.pop(place)
            if self._gone(place[0], watermark):
                continue
            bounds = closing_bounds(self._window, place[0], self._zone)
            kpis = self._kpis
            if place[1] in self._rows.get(place[0], {}):
                kpis = tuple(kpi for kpi in kpis if not changed.isdisjoint(reads(kpi)))
            yield from self._emit(bounds, place[1], kpis, watermark)

    def _gone(self, start: int, watermark: int) -> bool:
        """Whether slices of the window may have expired: it can't be computed again and its rows stand."""
        return start < watermark - self._horizon

    def waiting(self) -> bool:
        """Whether corrections wait."""
        return bool(self._revise)

    def _emit(self, bounds: Bounds, group: int, kpis: Iterable[Kpi], watermark: int) -> Iterator[KpiRow]:
        rows = self._rows.setdefault(bounds[0], {}).setdefault(group, {})
        missing = set(rows)
        for kpi, route, value in evaluate(kpis, self._facts.closed_pane(group, self._window, bounds)):
            name = row_name(kpi.id, route)
            missing.discard(name)
            if name not in rows or rows[name] != signature(value) or (bounds[0], group, name) in self._contested:
                yield self._row(bounds, group, kpi, route, value, watermark, rows)
        for name in missing:
            entry = BY_ID[row_parts(name)[0]]
            if entry in kpis and (rows[name] != signature(vanished(entry)) or (bounds[0], group, name) in self._contested):
                yield self._row(bounds, group, entry, row_parts(name)[1], vanished(entry), watermark, rows)

    def _row(
        self,
        bounds: Bounds,
        group: int,
        kpi: Kpi,
        route: str,
        value: KpiValue,
        watermark: int,
        rows: dict[str, Signature],
    ) -> KpiRow:
        name = row_name(kpi.id, route)
        labels = row_group(self._groups.labels[group], route)
        record = record_of(kpi, value, self._window, bounds, labels, watermark, "final")
        record.revision = 1
        if name in rows:
            row = (bounds[0], group, name)
            record.revision = self._revisions[row] = self._revisions.get(row, 1) + 1
            self._contested.settle(row)
            former = rows[name]
            record.old_value = former[0] if isinstance(former, tuple) else former
        rows[name] = signature(value)
        return KpiRow("kpi-windows", kpi.id, self._window, labels, bounds[0], record)

    def forget(self, before: int) -> None:
        """Rows of windows that ended before the instant are never corrected again."""
        gone = {start for start in self._rows if closing_bounds(self._window, start, self._zone)[1] < before}
        if not gone:
            return
        for start in gone:
            del self._rows[start]
        self._revisions = {row: n for row, n in self._revisions.items() if row[0] not in gone}
        self._contested.forget(lambda row: row[0] in gone)
        self._revise = {place: found for place, found in self._revise.items() if place[0] not in gone}

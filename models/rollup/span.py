"""The row of the whole span, for replays: everything that was ever read, always provisional."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from models.catalogue.registry import BY_ID, evaluate
from models.catalogue.values import KpiValue
from models.panes.windows import SPAN
from models.rollup.contested import Contested
from models.rollup.facts import Facts
from models.rollup.groups import Groups
from models.rollup.records import KpiRecord, KpiRow
from models.rollup.rows import kpis_of, record_of, row_group, row_name, row_parts, vanished

KEY_START: Final = 0
"""Stands in the key of span rows: the true start may still move, a row's key must not."""


class SpanRows:
    """What was last published of every group."""

    def __init__(self, groups: Groups, facts: Facts) -> None:
        self._groups, self._facts = groups, facts
        self._kpis = kpis_of(SPAN)
        self._dirty: dict[int, None] = {}
        self._rows: dict[int, dict[str, tuple[KpiValue, int]]] = {}
        self._contested: Contested[tuple[int, str]] = Contested()

    def touch(self, group: int) -> None:
        """A group has new facts."""
        self._dirty[group] = None

    def read(self, group: int, name: str, record: KpiRecord) -> None:
        """A row as published, as in `ClosingWindow.read`."""
        self._dirty[group] = None
        rows = self._rows.setdefault(group, {})
        value, revision = record.kpi_value(), record.revision or 1
        known, greatest = rows.get(name, (None, 0))
        if self._contested.read((group, name), revision, greatest, same=known == value):
            rows[name] = (value, revision)

    def waiting(self) -> bool:
        """Whether some group was changed and not published since."""
        return bool(self._dirty)

    def publish(self, watermark: int | None, budget: int) -> Iterator[KpiRow]:
        """Rows that changed, of as many groups as the budget allows."""
        if self._facts.first is None or self._facts.end is None:
            return
        bounds = (self._facts.first, self._facts.end)
        for group in list(islice(self._dirty, budget)):
            del self._dirty[group]
            rows = self._rows.setdefault(group, {})
            lost = dict.fromkeys(rows)
            for kpi, route, value in evaluate(self._kpis, self._facts.closed_pane(group, SPAN, bounds)):
                name = row_name(kpi.id, route)
                lost.pop(name, None)
                yield from self._changed(group, name, value, watermark, bounds)
            for name in lost:
                entry = BY_ID[row_parts(name)[0]]
                yield from self._changed(group, name, vanished(entry), watermark, bounds)

    def _changed(self, group: int, name: str, value: KpiValue, watermark: int | None, bounds: tuple[int, int]) -> Iterator[KpiRow]:
        former = self._rows[group].get(name)
        if former is not None and former[0] == value and (group, name) not in self._contested:
            return
        self._contested.settle((group, name))
        entry = BY_ID[row_parts(name)[0]]
        labels = row_group(self._groups.labels[group], row_parts(name)[1])
        record = record_of(entry, value, SPAN, bounds, labels, watermark, "provisional")
        record.revision = 1 if former is None else former[1] + 1
        if former is not None:
            record.old_value = former[0].value
        self._rows[group][name] = (value, record.revision)
        yield KpiRow("kpi-windows", entry.id, SPAN, labels, KEY_START, record)

"""Records about the pipeline itself in ``kpis``: watermark, progress of the sources, next to breach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.panes.windows import NOW
from models.rollup.levels import Levels
from models.rollup.progress import Progress
from models.rollup.records import KpiRecord, KpiRow

NAMES: Final = frozenset({"watermark", "source_progress", "next_to_breach"})


class PipelineRows:
    """What was last published about the pipeline."""

    def __init__(self, progress: Progress, levels: Levels) -> None:
        self._progress, self._levels = progress, levels
        self._sources: dict[str, int | None] = {}
        self._next: list[dict[str, object]] | None = None
        self._watermark: tuple[int | None, int | None, bool] | None = None

    def publish(self, clock: int, watermark: int | None, through: int | None) -> Iterator[KpiRow]:
        """Changed rows, the watermark last. ``through`` is the watermark up to which every row has been published."""
        yield from self._source_rows(clock, watermark)
        yield from self._next_row(watermark)
        simulated = self._progress.simulated()
        if (through, clock, simulated) != self._watermark:
            self._watermark = (through, clock, simulated)
            record = KpiRecord("watermark", through, "ms", NOW, {}, through, "provisional", clock=clock, simulated=simulated)
            yield KpiRow("kpis", "watermark", NOW, {}, None, record)

    def _source_rows(self, clock: int, watermark: int | None) -> Iterator[KpiRow]:
        sources = self._progress.sources()
        for source in self._sources.keys() - sources.keys():
            yield KpiRow("kpis", "source_progress", NOW, {"source": source}, None, None)
        for source, at in sources.items():
            if source in self._sources and self._sources[source] == at:
                continue
            group = {"source": source}
            record = KpiRecord("source_progress", at, "ms", NOW, group, watermark, "provisional")
            record.lag_seconds = None if at is None else max(0, clock - at) / 1000
            yield KpiRow("kpis", "source_progress", NOW, group, None, record)
        self._sources = sources

    def _next_row(self, watermark: int | None) -> Iterator[KpiRow]:
        items = self._levels.next_to_breach()
        if items != self._next:
            self._next = items
            record = KpiRecord("next_to_breach", len(items), "cases", NOW, {}, watermark, "provisional", items=items)
            yield KpiRow("kpis", "next_to_breach", NOW, {}, None, record)

    def read(self, row: KpiRow) -> None:
        """A row that another one has published: it is published again, or deleted if its source is gone."""
        if row.kpi == "watermark":
            self._watermark = None
        elif row.kpi == "next_to_breach":
            self._next = None
        elif row.record is None:
            self._sources.pop(row.group.get("source", ""), None)
        else:
            self._sources[row.group.get("source", "")] = -1

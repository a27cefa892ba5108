"""Records of the topic ``panes`` as Rollup reads them, and the KPI records it writes."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from models.catalogue.values import KpiValue, Number

Fence = tuple[int, int]
Cell = tuple[str, str, str, str]
NO_FENCE: Fence = (-1, -1)


class PaneKey(msgspec.Struct, frozen=True, gc=False):
    """Where a pane stands."""

    processor: str
    partition: int
    tier: str
    start: int
    cell: Cell


class PartitionKey(NamedTuple):
    """Whose level or status it is."""

    kind: Literal["level", "status"]
    processor: str
    partition: int


class PaneRecord(msgspec.Struct, gc=False):
    """A pane as sent: its facts stay encoded until they are needed."""

    fence: Fence
    facts: msgspec.Raw = msgspec.Raw(b"{}")
    deleted: bool = False


class LevelRecord(msgspec.Struct):
    """All levels of one partition; an absent cell is zero."""

    fence: Fence
    as_of: int | None = None
    base_through: int | None = None
    base: list[tuple[Cell, dict[str, int]]] = []
    cells: list[tuple[Cell, dict[str, int]]] = []
    next: list[dict[str, object]] = []
    clock: int | None = None


class StatusRecord(msgspec.Struct):
    """How far one partition is; sent after the panes it speaks of."""

    fence: Fence
    watermark: int | None = None
    clock: int = 0
    partitions: int = 0
    sources: dict[str, int | None] = {}
    counters: dict[str, int] = {}
    definitions: int = 0
    simulated: bool = False


class KpiRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """One row of ``kpis`` or ``kpi-windows``. Instants are epoch ms, durations seconds."""

    kpi: str
    value: Number | None
    unit: str
    window: str
    group: dict[str, str]
    watermark: int | None
    state: str
    numerator: Number | None = None
    denominator: Number | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    small_n: bool = False
    excluded: Number | None = None
    since: int | None = None
    window_start: int | None = None
    window_end: int | None = None
    revision: int | None = None
    old_value: Number | msgspec.UnsetType | None = msgspec.UNSET
    definition_version: int = 0
    clock: int | None = None
    simulated: bool | None = None
    lag_seconds: float | None = None
    items: list[dict[str, object]] | None = None

    def kpi_value(self) -> KpiValue:
        """What the row says, as the catalogue evaluates it."""
        return KpiValue(
            self.value,
            self.numerator,
            self.denominator,
            self.n,
            self.low,
            self.high,
            self.small_n,
            self.excluded,
            self.since,
        )


class KpiRow(msgspec.Struct, frozen=True, gc=False):
    """A record to publish; ``record`` is ``None`` for a row that no longer exists. Rows of windows have a start in their key."""

    topic: Literal["kpis", "kpi-windows"]
    kpi: str
    window: str
    group: dict[str, str]
    window_start: int | None
    record: KpiRecord | None

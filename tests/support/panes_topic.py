"""A panes topic in memory: what Cases and Customers would send, and what Rollup answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from agents.ports import Output
from agents.rollup import RollupProcessor
from models.panes.pane import merge
from models.panes.tiers import FAST_WIDTH, HOUR, slice_start
from models.rollup.records import Cell, LevelRecord, StatusRecord
from models.rollup.settings import RollupSettings
from stream_app.wire import outputs
from stream_app.wire.outputs import OutputsCodec

BILLING: Cell = ("billing", "phone", "normal", "t1")
SALES: Cell = ("sales", "email", "high", "t1")
Key = tuple[str, int, str, int, Cell]
RowKey = tuple[object, ...]


@dataclass
class Stored:
    """One record, as a consumer sees it."""

    key: bytes | None
    value: bytes | None
    offset: int = 0
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class PanesTopic:
    """Collects facts, sends changed panes, and keeps what Rollup published."""

    settings: RollupSettings = field(default_factory=lambda: RollupSettings(partitions=1))
    panes: dict[Key, dict[str, int]] = field(default_factory=dict)
    records: list[Stored] = field(default_factory=list)
    published: dict[str, dict[bytes, bytes | None]] = field(default_factory=lambda: {"kpis": {}, "kpi-windows": {}})
    offset: int = 0

    def __post_init__(self) -> None:
        self.rollup = self.started()

    def started(self) -> RollupProcessor:
        """A new Rollup that has read everything so far."""
        rollup = RollupProcessor(self.settings, OutputsCodec())
        rollup.assigned()
        rollup.read_panes(self.records)
        for topic, rows in self.published.items():
            rollup.read_published(topic, [Stored(key, value) for key, value in rows.items()])
        rollup.start_publishing()
        self.rollup = rollup
        return rollup

    def send(self, key: bytes, value: bytes | None) -> None:
        self.records.append(Stored(key, value))
        self.rollup.read_panes(self.records[-1:])

    def fence(self) -> tuple[int, int]:
        self.offset += 1
        return (0, self.offset)

    def fact(
        self,
        at: int,
        facts: Mapping[str, int],
        cell: Cell = BILLING,
        processor: str = "cases",
        partition: int = 0,
        slow: int = HOUR,
    ) -> None:
        """Facts at an instant go to both tiers."""
        for tier, width in (("fast", FAST_WIDTH), ("slow", slow)):
            key = (processor, partition, tier, slice_start(at, width), cell)
            merge(self.panes.setdefault(key, {}), dict(facts))
            self.send(outputs.pane_key(*key), outputs.pane_value(self.fence(), self.panes[key]))

    def expire(self, at: int, cell: Cell = BILLING, tier: str = "slow") -> None:
        """The slice that holds the instant is deleted."""
        key = ("cases", 0, tier, slice_start(at, HOUR if tier == "slow" else FAST_WIDTH), cell)
        self.panes.pop(key)
        self.send(outputs.pane_key(*key), outputs.deleted_value(self.fence()))

    def level(self, record: LevelRecord, partition: int = 0) -> None:
        record.fence = self.fence()
        self.send(outputs.level_key("cases", partition), outputs.level_value(record))

    def status(
        self,
        watermark: int | None,
        clock: int,
        processors: Sequence[str] = ("cases", "customers"),
        sources: dict[str, int | None] | None = None,
        *,
        simulated: bool = False,
    ) -> None:
        """Every partition of the processors is this far."""
        for processor in processors:
            for partition in range(self.settings.partitions):
                record = StatusRecord(
                    self.fence(),
                    watermark,
                    clock,
                    self.settings.partitions,
                    sources or {},
                    {"applied": 1},
                    simulated=simulated,
                )
                self.send(outputs.status_key(processor, partition), outputs.status_value(record))

    def publish(self) -> dict[RowKey, dict[str, object] | None]:
        """One publish cycle: rows by (kpi, window, group values…[, start])."""
        return self.keep(self.rollup.publish())

    def publish_all(self) -> dict[RowKey, dict[str, object] | None]:
        """Publish until nothing but the watermark comes."""
        rows: dict[RowKey, dict[str, object] | None] = {}
        while fresh := self.publish():
            rows.update(fresh)
        return rows

    def keep(self, found: Sequence[Output]) -> dict[RowKey, dict[str, object] | None]:
        rows: dict[RowKey, dict[str, object] | None] = {}
        for output in found:
            assert output.key is not None
            self.published[output.topic][output.key] = output.value
            rows[row_key(output.key)] = None if output.value is None else msgspec.json.decode(output.value)
        return rows

    def row(self, kpi: str, window: str, *rest: object) -> dict[str, object]:
        """The last record of a row."""
        for rows in self.published.values():
            for key, value in rows.items():
                if row_key(key) == (kpi, window, *rest):
                    assert value is not None
                    decoded: dict[str, object] = msgspec.json.decode(value)
                    return decoded
        message = f"no row {kpi} {window} {rest}"
        raise KeyError(message)

    def rows(self) -> dict[RowKey, object]:
        """The values of all rows that exist."""
        return {
            row_key(key): msgspec.json.decode(value)["value"]
            for rows in self.published.values()
            for key, value in rows.items()
            if value is not None
        }


def row_key(key: bytes) -> RowKey:
    """``(kpi, window, "dimension=value" …[, start])``."""
    kpi, window, group, *start = msgspec.json.decode(key)
    return (kpi, window, *(f"{name}={value}" for name, value in group.items()), *start)

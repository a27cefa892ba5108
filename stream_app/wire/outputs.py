"""JSON of the topics ``panes``, ``kpis`` and ``kpi-windows``, for their writers and readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from agents.rollup import Codec
from models.rollup.records import (
    Cell,
    Fence,
    KpiRecord,
    KpiRow,
    LevelRecord,
    PaneKey,
    PaneRecord,
    PartitionKey,
    StatusRecord,
)

_KINDS: Final[dict[str, Literal["level", "status"]]] = {"l": "level", "s": "status"}
_KNOWN_KEYS = 50_000
"""Decoded keys that are remembered; a pane's key comes again with every change of the pane."""

_encoder: Final = msgspec.json.Encoder()
_pane_key: Final = msgspec.json.Decoder(tuple[str, str, int, str, int, Cell])
_partition_key: Final = msgspec.json.Decoder(tuple[str, str, int])
_pane: Final = msgspec.json.Decoder(PaneRecord)
_facts: Final = msgspec.json.Decoder(dict[str, int])
_level: Final = msgspec.json.Decoder(LevelRecord)
_status: Final = msgspec.json.Decoder(StatusRecord)
_kpi: Final = msgspec.json.Decoder(KpiRecord)
_live_key: Final = msgspec.json.Decoder(tuple[str, str, dict[str, str]])
_final_key: Final = msgspec.json.Decoder(tuple[str, str, dict[str, str], int])


def pane_key(processor: str, partition: int, tier: str, start: int, cell: Cell) -> bytes:
    """Key of a pane."""
    return _encoder.encode(("p", processor, partition, tier, start, cell))


def level_key(processor: str, partition: int) -> bytes:
    """Key of a partition's levels."""
    return _encoder.encode(("l", processor, partition))


def status_key(processor: str, partition: int) -> bytes:
    """Key of a partition's status."""
    return _encoder.encode(("s", processor, partition))


def pane_value(fence: Fence, facts: Mapping[str, int]) -> bytes:
    """Value of a pane that exists."""
    return _encoder.encode({"fence": fence, "facts": facts})


def deleted_value(fence: Fence) -> bytes:
    """Value of a pane that has expired."""
    return _encoder.encode({"fence": fence, "deleted": True})


def level_value(record: LevelRecord) -> bytes:
    """Value of a partition's levels."""
    return _encoder.encode(record)


def status_value(record: StatusRecord) -> bytes:
    """Value of a partition's status."""
    return _encoder.encode(record)


class OutputsCodec(Codec):
    """What Rollup and the readers of its topics need. Everything unreadable raises ``ValueError``."""

    def __init__(self) -> None:
        self._panes_keys: dict[bytes, PaneKey | PartitionKey] = {}
        self._cells: dict[Cell, Cell] = {}

    def panes_key(self, key: bytes) -> PaneKey | PartitionKey:
        """The decoded key of a record of ``panes``."""
        found = self._panes_keys.get(key)
        if found is None:
            if len(self._panes_keys) >= _KNOWN_KEYS:
                self._panes_keys.clear()
            found = self._panes_keys[key] = self._decoded(key)
        return found

    def _decoded(self, key: bytes) -> PaneKey | PartitionKey:
        if key.startswith(b'["p"'):
            _, processor, partition, tier, start, cell = _pane_key.decode(key)
            return PaneKey(processor, partition, tier, start, self._cells.setdefault(cell, cell))
        kind, processor, partition = _partition_key.decode(key)
        if kind not in _KINDS:
            message = f"no key of the topic panes: {kind}"
            raise ValueError(message)
        return PartitionKey(_KINDS[kind], processor, partition)

    def pane(self, value: bytes) -> PaneRecord:
        """A pane, its facts still encoded."""
        return _pane.decode(value)

    def facts(self, encoded: bytes) -> dict[str, int]:
        """The facts of a pane."""
        return _facts.decode(encoded)

    def level(self, value: bytes) -> LevelRecord:
        """A partition's levels."""
        return _level.decode(value)

    def status(self, value: bytes) -> StatusRecord:
        """A partition's status."""
        return _status.decode(value)

    def row(self, topic: str, key: bytes, value: bytes | None) -> KpiRow:
        """A row of ``kpis`` or ``kpi-windows``; its record is ``None`` if it was deleted."""
        record = _kpi.decode(value) if value is not None else None
        if topic == "kpis":
            kpi, window, group = _live_key.decode(key)
            return KpiRow("kpis", kpi, window, group, None, record)
        kpi, window, group, start = _final_key.decode(key)
        return KpiRow("kpi-windows", kpi, window, group, start, record)

    def encode(self, row: KpiRow) -> tuple[bytes, bytes | None]:
        """Key and value of a row."""
        key: Sequence[object] = (row.kpi, row.window, row.group)
        if row.window_start is not None:
            key = (*key, row.window_start)
        return _encoder.encode(key), None if row.record is None else _encoder.encode(row.record)

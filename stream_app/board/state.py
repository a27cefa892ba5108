"""Output records in, board state out: a reducer without clock, network or task.

A row is the newest record of one (kpi, window, group). Every row carries the sequence number of
the frame in which it last changed, so that what a client has missed since frame ``s`` is simply
every row with a greater number: there is no history to keep and no queue to bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from stream_app.board.alerts import RecentBreaches
from stream_app.board.feed import FeedRecord

Group = tuple[tuple[str, str], ...]
"""Grouping dimensions and their values, sorted by dimension; ``()`` is everything."""

GROUPING_DIMENSIONS: Final = frozenset({"queue", "channel", "priority", "team"})
PIPELINE_KPIS: Final = frozenset({"watermark", "source_progress", "next_to_breach"})
RANK_FIELDS: Final = ("fence", "window_end", "clock", "watermark", "revision")
REMOVALS_KEPT: Final = 2_000
GROUPS_KEPT: Final = 5_000


@dataclass(slots=True)
class Row:
    """The newest record of one (kpi, window, group) and the frame in which it last changed."""

    seq: int
    record: dict[str, Any]


@dataclass(slots=True)
class Pipeline:
    """Progress of the log as Rollup last published it. Instants are epoch ms; None = not known."""

    watermark: int | None = None
    clock: int | None = None
    simulated: bool = False
    heard: int = 0
    """How many watermark records have been read; a growing number proves that Rollup is alive."""
    sources: dict[str, int | None] = field(default_factory=dict)


class BoardState:
    """Everything the board knows. Memory is bounded by the live rows of the ``kpis`` topic."""

    def __init__(self) -> None:
        self.seq = 0
        self.dirty = False
        self.unreadable = 0
        self.pipeline = Pipeline()
        self.next_to_breach: list[dict[str, Any]] | None = None
        self.breaches = RecentBreaches()
        self._rows: dict[Group, dict[str, Row]] = {}
        self._removed: deque[tuple[int, Group, str]] = deque()
        self._oldest_resumable = 0
        self._pipeline_records: dict[str, dict[str, Any]] = {}
        self._groups_seq = 0

    def apply(self, records: Iterable[FeedRecord]) -> None:
        """Take records in log order. What cannot be read is counted and changes nothing."""
        for record in records:
            try:
                self._apply_one(record)
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                self.unreadable += 1

    def advance(self) -> bool:
        """Close the frame: True when anything changed since the last one, which then has a new ``seq``."""
        if not self.dirty:
            return False
        self.seq += 1
        self.dirty = False
        return True

    def groups(self) -> list[dict[str, str]]:
        """Every grouping that has rows, the whole first, then by dimension and value."""
        return [dict(group) for group in sorted(self._rows, key=lambda group: (len(group), group))]

    def groups_changed_since(self, seq: int) -> bool:
        return self._groups_seq > seq

    def rows(self, group: Group) -> list[dict[str, Any]]:
        """Every row of a group, each with its ``key``."""
        return [_wire(key, row) for key, row in self._rows.get(group, {}).items()]

    def all_rows(self) -> list[dict[str, Any]]:
        return [_wire(key, row) for rows in self._rows.values() for key, row in rows.items()]

    def can_resume(self, seq: int) -> bool:
        """Whether the difference to frame ``seq`` is still known in full."""
        return self._oldest_resumable <= seq <= self.seq

    def changed_since(self, group: Group, seq: int) -> list[dict[str, Any]]:
        """Rows of ``group`` that changed in a frame after ``seq``, oldest change first."""
        changed: list[dict[str, Any]] = []
        for key, row in reversed(self._rows.get(group, {}).items()):
            if row.seq <= seq:
                break
            if row.seq <= self.seq:
                changed.append(_wire(key, row))
        changed.reverse()
        return changed

    def removed_since(self, group: Group, seq: int) -> list[str]:
        """Keys of ``group`` that were removed in a frame after ``seq`` and have not come back."""
        rows = self._rows.get(group, {})
        return [key for at, owner, key in self._removed if at > seq and owner == group and key not in rows]

    def _apply_one(self, record: FeedRecord) -> None:
        if record.topic == "sla-events":
            if record.value is not None:
                self.dirty |= self.breaches.add(_object(orjson.loads(record.value)))
            return
        if record.topic == "kpis" and record.key is not None:
            self._apply_kpi(record.key, record.value)

    def _apply_kpi(self, key: bytes, value: bytes | None) -> None:
        kpi, window, dimensions = orjson.loads(key)
        dimensions = {str(name): str(text) for name, text in _object(dimensions).items()}
        name = orjson.dumps([kpi, window, dimensions], option=orjson.OPT_SORT_KEYS).decode()
        body = None if value is None else _object(orjson.loads(value))
        if body is None or body.get("deleted"):
            self._remove(kpi, name, dimensions)
            return
        if kpi in PIPELINE_KPIS:
            self._apply_pipeline(kpi, name, dimensions, body)
        else:
            self._put(name, {**body, "kpi": kpi, "window": window, "group": dimensions})

    def _apply_pipeline(self, kpi: str, name: str, dimensions: Mapping[str, str], body: dict[str, Any]) -> None:
        if supersedes(self._pipeline_records.get(name), body):
            self._pipeline_records[name] = body
            self.dirty = True
            if kpi == "watermark":
                self.pipeline.watermark = _instant(body.get("value"))
                self.pipeline.clock = _instant(body.get("clock"))
                self.pipeline.simulated = bool(body.get("simulated"))
                self.pipeline.heard += 1
            elif kpi == "source_progress":
                self.pipeline.sources[dimensions["source"]] = _instant(body.get("value"))
            elif not dimensions:
                self.next_to_breach = [_object(item) for item in body.get("items") or []]

    def _put(self, name: str, body: dict[str, Any]) -> None:
        group = grouping(body["group"])
        rows = self._rows.get(group)
        if rows is None:
            if len(self._rows) >= GROUPS_KEPT:
                self.unreadable += 1
                return
            rows = self._rows[group] = {}
            self._groups_seq = self.seq + 1
        held = rows.get(name)
        if held is not None and not supersedes(held.record, body):
            return
        rows.pop(name, None)
        rows[name] = Row(self.seq + 1, body)
        self.dirty = True

    def _remove(self, kpi: str, name: str, dimensions: Mapping[str, str]) -> None:
        self._pipeline_records.pop(name, None)
        if kpi == "source_progress":
            self.dirty |= self.pipeline.sources.pop(dimensions["source"], -1) != -1
            return
        group = grouping(dimensions)
        rows = self._rows.get(group)
        if rows is None or rows.pop(name, None) is None:
            return
        if not rows:
            del self._rows[group]
            self._groups_seq = self.seq + 1
        self._removed.append((self.seq + 1, group, name))
        if len(self._removed) > REMOVALS_KEPT:
            self._oldest_resumable = self._removed.popleft()[0]
        self.dirty = True


def grouping(dimensions: Mapping[str, str]) -> Group:
    """The part of a record's group that a viewer filters by; ``route`` and the like stay with the row."""
    return tuple(sorted((name, value) for name, value in dimensions.items() if name in GROUPING_DIMENSIONS))


def supersedes(held: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    """Whether ``new`` takes the place of ``held``.

    Compaction keeps the last record, not the newest, and a Rollup that was stopped and woke up
    writes old values: the first of fence, window end, clock, watermark and revision that both
    carry and that differs decides. Where none differs the log's order does.
    """
    if held is None:
        return True
    for name in RANK_FIELDS:
        former, latter = held.get(name), new.get(name)
        if former is not None and latter is not None and former != latter:
            return bool(latter > former)
    return True


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _instant(value: object) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError("not an instant")
    return value


def _wire(key: str, row: Row) -> dict[str, Any]:
    return {"key": key, **row.record}

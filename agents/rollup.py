"""Rollup as a processor: reads the topic ``panes`` and its own output, answers with the rows to publish.

It owns nothing between two assignments: on assignment it starts empty, reads both topics to their ends, and only
then publishes. The engine reads, this decodes, `models.rollup` decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from agents.ports import Output, Record
from models.catalogue.entry import Kpi
from models.catalogue.values import KpiValue
from models.rollup.records import KpiRow, LevelRecord, PaneKey, PaneRecord, PartitionKey, StatusRecord
from models.rollup.rollup import Rollup
from models.rollup.settings import RollupSettings

PUBLISHED = ("kpi-windows", "kpis")


class Codec(ABC):
    """Bytes of the topics. Every method raises ``ValueError`` for what it cannot read."""

    @abstractmethod
    def panes_key(self, key: bytes) -> PaneKey | PartitionKey:
        """The decoded key of a record of ``panes``."""

    @abstractmethod
    def pane(self, value: bytes) -> PaneRecord:
        """A pane, its facts still encoded."""

    @abstractmethod
    def facts(self, encoded: bytes) -> dict[str, int]:
        """The facts of a pane."""

    @abstractmethod
    def level(self, value: bytes) -> LevelRecord:
        """A partition's levels."""

    @abstractmethod
    def status(self, value: bytes) -> StatusRecord:
        """A partition's status."""

    @abstractmethod
    def row(self, topic: str, key: bytes, value: bytes | None) -> KpiRow:
        """A row of ``kpis`` or ``kpi-windows``; its record is ``None`` if it was deleted."""

    @abstractmethod
    def encode(self, row: KpiRow) -> tuple[bytes, bytes | None]:
        """Key and value of a row."""


class RollupProcessor:
    """One worker's Rollup, whether it owns the topic at the moment or not."""

    def __init__(self, settings: RollupSettings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._rollup: Rollup | None = None
        self._publishing = False
        self.unreadable = 0

    @property
    def active(self) -> bool:
        """Whether it owns the topic and has read everything: only then does it publish or show a number."""
        return self._rollup is not None and self._publishing

    def assigned(self) -> None:
        """Start empty; everything is to be read from the start."""
        self._rollup = Rollup(self._settings, self._codec.facts)
        self._publishing = False

    def revoked(self) -> None:
        """Forget everything."""
        self._rollup = None
        self._publishing = False

    def read_panes(self, records: Sequence[Record]) -> None:
        """Records of ``panes``, in order. One that cannot be read is counted in ``unreadable``."""
        rollup = self._rollup
        if rollup is None:
            return
        for record in records:
            if record.key is None or record.value is None:
                continue
            try:
                self._read_pane(rollup, record.key, record.value)
            except ValueError:
                self.unreadable += 1

    def _read_pane(self, rollup: Rollup, key: bytes, value: bytes) -> None:
        where = self._codec.panes_key(key)
        if isinstance(where, PaneKey):
            rollup.take_pane(key, where, self._codec.pane(value))
        elif where.kind == "level":
            rollup.take_level(where, self._codec.level(value))
        else:
            rollup.take_status(where, self._codec.status(value))

    def read_published(self, topic: str, records: Sequence[Record]) -> None:
        """Records of ``kpi-windows`` and ``kpis`` (logical names), up to their ends as found on assignment."""
        if self._rollup is None:
            return
        for record in records:
            if record.key is None:
                continue
            try:
                self._rollup.take_published(self._codec.row(topic, record.key, record.value))
            except ValueError:
                self.unreadable += 1

    def start_publishing(self) -> None:
        """All three topics have been read to their ends."""
        self._publishing = self._rollup is not None

    @property
    def moved(self) -> int:
        """How far (ms) the log's clock moved between the last two publications."""
        return 0 if self._rollup is None else self._rollup.moved

    @property
    def behind(self) -> bool:
        """Whether nothing came, the log's clock stood still, and the last publication left rows for the next."""
        return self._rollup is not None and self._rollup.behind

    def publish(self, clock_ms: int | None = None) -> list[Output]:
        """Rows that changed since the last call; nothing unless active.

        ``clock_ms``, the caller's clock, decides nothing: rows follow the log's clock only.
        """
        if self._rollup is None or not self._publishing:
            return []
        encode = self._codec.encode
        return [Output(row.topic, *encode(row)) for row in self._rollup.publish()]

    def current(self) -> Iterable[tuple[Kpi, str, dict[str, str], KpiValue]]:
        """Every live value as last published: KPI, window, group, value. Nothing unless active."""
        return self._rollup.current() if self._rollup is not None and self._publishing else ()

    def watermark(self) -> int | None:
        """The watermark over all partitions (ms); ``None`` unless active."""
        return self._rollup.progress.watermark() if self._rollup is not None and self._publishing else None

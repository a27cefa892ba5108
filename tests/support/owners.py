"""The published topics as logs to which several owners write: the one of the day, and those that do not know that they have lost it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from agents.ports import Output
from agents.rollup import PUBLISHED, RollupProcessor
from models.rollup.settings import RollupSettings
from stream_app.wire.outputs import OutputsCodec
from tests.support.panes_topic import RowKey, Stored, row_key


@dataclass
class PublishedTopics:
    """Every record of every owner, in order."""

    logs: dict[str, list[tuple[Owner, Stored]]] = field(default_factory=lambda: {topic: [] for topic in PUBLISHED})

    def append(self, owner: Owner, outputs: Sequence[Output]) -> None:
        for output in outputs:
            log = self.logs[output.topic]
            log.append((owner, Stored(output.key, output.value, len(log))))

    def last(self) -> dict[RowKey, Any]:
        """The last record of every row: what compaction leaves."""
        return {row_key(record.key or b""): _decoded(record) for log in self.logs.values() for _, record in log}

    def greatest(self) -> dict[RowKey, Any]:
        """The record of every row that holds for a reader who goes by the rank that the page about reading KPIs gives."""
        rows: dict[RowKey, Any] = {}
        for log in self.logs.values():
            for _, record in log:
                key, row = row_key(record.key or b""), _decoded(record)
                if row is None or rows.get(key) is None or _rank(row) >= _rank(rows[key]):
                    rows[key] = row
        return rows


class Owner:
    """One worker's Rollup. What it has published waits in ``held`` until it is sent."""

    def __init__(self, settings: RollupSettings, panes: Sequence[Stored], topics: PublishedTopics) -> None:
        """Takes over: reads everything that stands in the topics."""
        self.rollup = RollupProcessor(settings, OutputsCodec())
        self.rollup.assigned()
        self.topics, self.panes = topics, panes
        self.held: list[Output] = []
        self._position = 0
        self._looked = dict.fromkeys(PUBLISHED, 0)
        self.look()
        self.read()
        self.rollup.start_publishing()

    def read(self, limit: int | None = None) -> None:
        """Read panes, at most so many."""
        end = len(self.panes) if limit is None else min(len(self.panes), self._position + limit)
        self.rollup.read_panes(self.panes[self._position : end])
        self._position = end

    def publish(self) -> bool:
        """One publication; whether it had anything."""
        rows = self.rollup.publish()
        self.held += rows
        return bool(rows)

    def send(self) -> None:
        self.topics.append(self, self.held)
        self.held = []

    def look(self) -> None:
        """Read what others have written since the last look."""
        for topic, log in self.topics.logs.items():
            found = [record for owner, record in log[self._looked[topic] :] if owner is not self]
            self.rollup.read_published(topic, found)
            self._looked[topic] = len(log)


def _decoded(record: Stored) -> Any:
    return None if record.value is None else msgspec.json.decode(record.value)


def _rank(row: dict[str, Any]) -> tuple[int, int, int]:
    return row.get("revision", 0), row.get("window_end", 0), row["watermark"] or 0

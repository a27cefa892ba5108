"""A small stateful processor that counts per key, built like the real ones: fences, forward-only merge, marker.

Rows count per key, panes per bucket of keys; both carry the offset of the last record in them as their fence,
and a record at or below a fence is skipped there. Each record gives one output with a deterministic id.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from agents.ports import Checkpoint, Output, Record

BUCKETS = 16


def bucket_of(key: bytes) -> bytes:
    return b"%d" % (sum(key) % BUCKETS)


@dataclass
class ToyState:
    """Counts as ``[fence, count]``; ``offset`` is the next record to process."""

    partition: int
    offset: int = -1
    rows: dict[bytes, list[int]] = field(default_factory=dict)
    panes: dict[bytes, list[int]] = field(default_factory=dict)
    changed_rows: set[bytes] = field(default_factory=set)
    changed_panes: set[bytes] = field(default_factory=set)


class ToyRecovering:
    """Merges changelog records forward only: the greater fence wins, wherever it stands."""

    def __init__(self, partition: int) -> None:
        self._state = ToyState(partition)

    def absorb(self, key: bytes, value: bytes | None) -> None:
        assert value is not None
        fence, count = orjson.loads(value)
        if key == b"m":
            self._state.offset = max(self._state.offset, fence)
            return
        kept = self._state.rows if key[:1] == b"r" else self._state.panes
        if key[1:] not in kept or kept[key[1:]][0] < fence:
            kept[key[1:]] = [fence, count]

    def complete(self) -> ToyState:
        return self._state


class ToyProcessor:
    """Counts records per key. ``output`` names the topic of one output per record (None: no outputs).

    ``poison`` is a key whose record raises; ``hang`` one that blocks for an hour.
    """

    name = "toy"

    def __init__(self, log: str = "events", changelog: str = "cases-changelog", output: str | None = "case-events") -> None:
        self.log = log
        self.changelog = changelog
        self.output = output
        self.published = 0

    def recover(self, partition: int) -> ToyRecovering:
        return ToyRecovering(partition)

    def handle(self, state: Any, records: Sequence[Record]) -> list[Output]:
        outputs = []
        for record in records:
            key = record.key or b""
            if key == b"poison":
                raise ValueError("a poisoned record")
            if key == b"hang":
                time.sleep(3600)
            self._count(state.rows, state.changed_rows, key, record.offset)
            self._count(state.panes, state.changed_panes, bucket_of(key), record.offset)
            if self.output is not None:
                outputs.append(Output(self.output, key, b"%d:%d" % (state.partition, record.offset)))
            state.offset = record.offset + 1
        return outputs

    @staticmethod
    def _count(counts: dict[bytes, list[int]], changed: set[bytes], key: bytes, offset: int) -> None:
        entry = counts.get(key)
        if entry is None:
            counts[key] = [offset, 1]
        elif entry[0] < offset:
            entry[0] = offset
            entry[1] += 1
        else:
            return
        changed.add(key)

    def catching_up(self, state: Any) -> bool:
        return False

    def publish(self, state: Any, *, whole: bool = True) -> list[Output]:
        self.published += 1
        return [Output("panes", b"%d/%s" % (state.partition, key), orjson.dumps(state.panes[key])) for key in state.changed_panes]

    def checkpoint(self, state: Any, turns: int = 1) -> Checkpoint:
        panes = [(b"p" + key, orjson.dumps(state.panes[key])) for key in state.changed_panes]
        rows: list[tuple[bytes, bytes | None]] = [(b"r" + key, orjson.dumps(state.rows[key])) for key in state.changed_rows]
        state.changed_panes.clear()
        state.changed_rows.clear()
        return Checkpoint(state.offset, list(panes), rows, (b"m", orjson.dumps([state.offset, 0])))


class ToyIntake:
    """Passes input records on, keyed as they are, and writes what was complete into its marks."""

    def __init__(self, partitions: int = 4) -> None:
        self._partitions = partitions
        self.sources: set[str] = set()

    def assigned(self, sources: set[str]) -> None:
        self.sources = sources

    def handle_together(
        self, waiting: Mapping[str, Sequence[Record]], more: Container[str], most: int
    ) -> tuple[list[Output], dict[str, int]]:
        taken: dict[str, int] = {}
        outputs: list[Output] = []
        for source, records in waiting.items():
            taken[source] = min(len(records), most - len(outputs))
            outputs += [Output("events", record.key, record.value) for record in records[: taken[source]]]
        return outputs, taken

    def marks(self, clock_ms: int, complete_at: dict[str, int], skew_ms: int | None) -> list[Output]:
        value = orjson.dumps({"complete": complete_at})
        return [Output("dead-letters", b"mark", value)] if complete_at else []

    def paused(self) -> set[str]:
        return set()


class ToyRollup:
    """Keeps the newest pane of each key and publishes their number when it changes."""

    behind = False
    moved = 0

    def __init__(self) -> None:
        self.panes: dict[bytes, bytes | None] = {}
        self.read_back: list[bytes | None] = []
        self._published: bytes | None = None
        self._publishing = False

    def assigned(self) -> None:
        self.panes.clear()
        self._published, self._publishing = None, False

    def revoked(self) -> None:
        self._publishing = False

    def read_panes(self, records: Sequence[Record]) -> None:
        self.panes.update((record.key or b"", record.value) for record in records)

    def read_published(self, topic: str, records: Sequence[Record]) -> None:
        if topic == "kpis":
            self._published = records[-1].value
            self.read_back.extend(record.value for record in records)

    def start_publishing(self) -> None:
        self._publishing = True

    def publish(self, clock_ms: int) -> list[Output]:
        assert self._publishing
        total = sum(orjson.loads(value)[1] for value in self.panes.values() if value)
        value = b"%d" % total
        if value == self._published:
            return []
        self._published = value
        return [Output("kpis", b"total", value)]

"""Kafka as far as the protocol can tell: partitioned logs, and compaction that keeps the last record of a key, not the newest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from tests.simulation.plan import INPUTS, PARTITIONS

COMPACTED: Final = ("cases-changelog", "customers-changelog", "panes", "cases")
COUNTS: Final = {**INPUTS, "panes": 1, "dead-letters": 1}
SENT_AT: Final = 4_000_000_000_000

Place = tuple[str, int]


@dataclass(slots=True)
class Stored:
    """A record of a partition; ``era`` is the time of writing as compaction knows it."""

    offset: int
    key: bytes | None
    value: bytes | None
    era: int
    timestamp: int = SENT_AT
    headers: tuple[tuple[str, bytes], ...] = ()


class Broker:
    """``on_write`` is told of every record; when it sets ``interrupted`` the writer does nothing more."""

    def __init__(self) -> None:
        self.logs: dict[Place, list[Stored]] = defaultdict(list)
        self.committed: dict[Place, int] = {}
        self.era: dict[Place, int] = defaultdict(int)
        self.on_write: Callable[[str], None] = lambda _: None
        self.interrupted = False
        self._emptied: dict[Place, int] = {}

    def write(self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None) -> None:
        """Append a record; by the hash of its key where no partition is named."""
        if partition is None:
            partition = crc32(key or b"") % COUNTS.get(topic, PARTITIONS)
        place = topic, partition
        log = self.logs[place]
        offset = log[-1].offset + 1 if log else self._emptied.get(place, 0)
        log.append(Stored(offset, key, value, self.era[place]))
        self.on_write(topic)

    def checkpointed(self, changelog: str, number: int) -> None:
        """An owner made a checkpoint, or the time of one has passed: the time of what it keeps alive goes on."""
        self.era[changelog, number] += 1
        if changelog == "cases-changelog":
            self.era["cases", number] = self.era[changelog, number]
        self.era["panes", 0] = min(self.era[name, owned] for name in COMPACTED[:2] for owned in range(PARTITIONS))

    def compact(self, lag: int) -> None:
        """Of the records that are ``lag`` eras old keep the last of each key; a tombstone goes with what it hides."""
        for place, log in self.logs.items():
            if place[0] not in COMPACTED:
                continue
            oldest_kept = self.era[place] - lag
            eligible = 0
            while eligible < len(log) and log[eligible].era <= oldest_kept:
                eligible += 1
            last = {record.key: record.offset for record in log[:eligible]}
            kept = [record for record in log[:eligible] if last[record.key] == record.offset and record.value is not None]
            if log:
                self._emptied[place] = log[-1].offset + 1
            self.logs[place] = kept + log[eligible:]

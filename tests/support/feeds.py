"""For tests of feeds: small feeds in memory, and a sender that remembers what it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from stream_app.feeds.feed import FeedEvent, FeedOutline, InputEvent, feed_event, outline_of


def wire_bytes(event: FeedEvent) -> bytes:
    """The event as a message."""
    return orjson.dumps(event.event)


class ListFeed:
    """A feed of events given as dicts; the final instant is a second after the last one."""

    name = "list"
    simulated = True
    zone = "UTC"

    def __init__(self, events: Iterable[InputEvent]) -> None:
        self._events = [feed_event(event) for event in events]

    def events(self) -> Iterator[FeedEvent]:
        return iter(self._events)

    def outline(self) -> FeedOutline:
        return outline_of(self.events(), 1000)


@dataclass(frozen=True)
class SentRecord:
    """One record as a partition got it. ``acknowledged`` is how many of all records were so before it was taken."""

    topic: str
    partition: int
    key: bytes | None
    event: dict[str, Any]
    acknowledged: int


@dataclass
class RememberingSender:
    """Acknowledges on ``flush`` only, as the slowest broker would."""

    counts: dict[str, int] = field(default_factory=lambda: {"in.contacts": 3, "in.resolutions": 2, "in.surveys": 1})
    records: list[SentRecord] = field(default_factory=list)
    acknowledged: int = 0

    async def partitions(self, topic: str) -> int:
        return self.counts[topic]

    async def send(self, topic: str, partition: int, key: bytes | None, value: bytes) -> None:
        self.records.append(SentRecord(topic, partition, key, orjson.loads(value), self.acknowledged))

    async def flush(self) -> None:
        self.acknowledged = len(self.records)

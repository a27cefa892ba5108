"""What feeds the board: output records in batches, from Kafka or from a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """One record of an output topic; ``topic`` is the logical name (``kpis``, ``kpi-windows``, ``sla-events``)."""

    topic: str
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """Records in log order and how the feed is doing.

    ``caught_up`` is false until ``kpis`` was read to its end once: no number is shown before.
    ``reset`` says that the topics were made anew: everything known before is void.
    ``problem`` is one plain sentence, empty while all is well.
    """

    records: Sequence[FeedRecord] = ()
    caught_up: bool = True
    connected: bool = True
    reset: bool = False
    problem: str = ""


class BoardFeed(Protocol):
    """A source of batches that never ends by itself: it reconnects inside and reports problems as batches."""

    def batches(self) -> AsyncIterator[FeedBatch]: ...

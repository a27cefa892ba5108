"""What the transport hands on: batches of one partition, and where its log ends."""

from __future__ import annotations

from dataclasses import dataclass

from faust.types import TP

from agents.ports import Record


@dataclass(slots=True)
class PartitionBatch:
    """Records of one fetch of one partition, contiguous with the batch before in the same ``epoch``.

    ``start`` is the position the fetch began at, ``next`` the one after it (beyond the last record where
    the log has control records or compacted holes), ``highwater`` the log's end as the fetch saw it.
    """

    tp: TP
    epoch: int
    start: int
    next: int
    highwater: int
    records: list[Record]


@dataclass(slots=True, frozen=True)
class LogEnd:
    """``end`` of the log; ``delivered``: position after the last batch handed out; ``position``: the fetcher's,
    beyond ``delivered`` only by records that nobody gets to see (control records, compacted holes)."""

    end: int
    delivered: int
    position: int


class LiveSet(set[TP]):
    """A set that is true even when empty: aiokafka takes an empty set of partitions for all of them."""

    def __bool__(self) -> bool:
        return True

"""What the panes topic says: the newest version of every pane, and how far each partition has published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from agents.ports import Record
from models.durability.pane import PaneId
from models.rollup.records import NO_FENCE, Fence, PaneKey, PartitionKey
from stream_app.wire.outputs import OutputsCodec


class PublishedPartition:
    """``panes``: fence and encoded facts, None for a deleted one. ``status``: fence of the newest status.

    Everything that follows from the records up to the status, outputs to other topics too, was acknowledged before it was sent.
    """

    def __init__(self) -> None:
        self.panes: dict[PaneId, tuple[Fence, bytes | None]] = {}
        self.status: Fence = NO_FENCE

    @property
    def processed(self) -> int:
        """The offset behind the last record whose outputs were all sent for sure."""
        return self.status[1] + 1


class Published:
    """Merges records of the panes topic, forward only, as its readers do."""

    def __init__(self) -> None:
        self.partitions: defaultdict[tuple[str, int], PublishedPartition] = defaultdict(PublishedPartition)
        self.unreadable = 0
        self._codec = OutputsCodec()

    def absorb(self, records: Sequence[Record]) -> None:
        """A record that nothing of ours wrote is counted."""
        for record in records:
            try:
                self._merge(record.key or b"", record.value)
            except ValueError:
                self.unreadable += 1

    def facts(self, encoded: bytes | None) -> dict[str, int]:
        """Facts of a pane; a deleted one has none."""
        return {} if encoded is None else self._codec.facts(encoded)

    def _merge(self, key: bytes, value: bytes | None) -> None:
        found = self._codec.panes_key(key)
        partition = self.partitions[found.processor, found.partition]
        if isinstance(found, PaneKey):
            self._merge_pane(partition, found, value)
        elif value is not None and isinstance(found, PartitionKey) and found.kind == "status":
            partition.status = max(partition.status, self._codec.status(value).fence)

    def _merge_pane(self, partition: PublishedPartition, key: PaneKey, value: bytes | None) -> None:
        identity = (key.tier, key.start, key.cell)
        known = partition.panes.get(identity)
        if value is None:
            if known is not None and known[1] is None:
                del partition.panes[identity]
            return
        record = self._codec.pane(value)
        if known is None or record.fence > known[0]:
            partition.panes[identity] = (record.fence, None if record.deleted else bytes(record.facts))

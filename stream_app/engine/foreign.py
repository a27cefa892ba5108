"""Finds records that others have written to topics of which this worker is the only owner.

Kafka lets everybody write: a worker that was stopped past its session and wakes up sends what it had in hand, and the last batch
of an earlier owner may arrive after its successor has read the topic. Both leave a hole between the offsets that our own
acknowledgements name, or an end that we have not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka.structs import TopicPartition

from stream_app.engine.outbox import OutgoingBatch, Pending


class OwnRecords:
    """What one owner has sent during one assignment (as ``pending``), and from that, which offsets are of others."""

    def __init__(self, read: Mapping[TopicPartition, int]) -> None:
        """``read``: the offset up to which each partition was read before anything was sent."""
        self.pending = Pending(self._acknowledged)
        self._accounted = dict(read)
        self._ends: dict[TopicPartition, int] = {}
        self._foreign: dict[TopicPartition, list[range]] = {}

    @property
    def partitions(self) -> list[TopicPartition]:
        return list(self._accounted)

    def _acknowledged(self, batch: OutgoingBatch, metadata: Any) -> None:
        """The broker has a batch of ours: ``metadata`` names the partition and the offset of its first record."""
        self._account(metadata.topic_partition, metadata.offset, metadata.offset + batch.count)

    def seen(self, ends: Mapping[TopicPartition, int]) -> None:
        """The partitions reach at least this far."""
        self._ends.update(ends)

    def foreign(self) -> dict[TopicPartition, list[range]]:
        """Offsets of others, each answered once. To be asked when everything sent is acknowledged: an end may be of a batch of ours."""
        for partition, end in self._ends.items():
            self._account(partition, end, end)
        found, self._foreign = self._foreign, {}
        return found

    def _account(self, partition: TopicPartition, start: int, end: int) -> None:
        known = self._accounted[partition]
        if start > known:
            self._foreign.setdefault(partition, []).append(range(known, start))
        self._accounted[partition] = max(known, end)

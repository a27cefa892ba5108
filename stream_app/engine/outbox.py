"""Producing in large batches: ``put`` is synchronous, the acknowledgements belong to an owner.

One lane per topic-partition sends one batch at a time and collects the next one meanwhile, so order
holds per partition, few awaits are needed, and batches grow with the load by themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from agents.ports import Output
from stream_app.engine.partitioner import partition_of

Failed = Callable[[str, BaseException], None]

_NO_HEADERS: Final[list[tuple[str, bytes]]] = []


class Producer(Protocol):
    """The part of ``AIOKafkaProducer`` that the outbox uses; its batches are those of ``plain_records``."""

    def create_batch(self) -> Any: ...
    def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[Any]: ...


class OutgoingBatch:
    """One batch on its way; ``acknowledged`` is set once, when the broker has it."""

    __slots__ = ("acknowledged", "add", "builder", "count", "owner", "owners", "size")

    def __init__(self, builder: Any, acknowledged: asyncio.Future[None]) -> None:
        self.builder = builder
        self.add = builder.add
        self.count = 0
        self.acknowledged = acknowledged
        self.owner: Pending | None = None
        self.owners: set[Pending] = set()
        self.size = 0


class Pending:
    """What one owner (a partition's state, Intake, Rollup) has sent and no broker has acknowledged yet."""

    __slots__ = ("_batches", "_told")

    def __init__(self, told: Callable[[OutgoingBatch, Any], object] | None = None) -> None:
        """``told``: is given every batch that the broker has, and what it said about it."""
        self._batches: set[OutgoingBatch] = set()
        self._told = told

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, batch: OutgoingBatch) -> None:
        self._batches.add(batch)

    def acknowledged(self, batch: OutgoingBatch, metadata: Any) -> None:
        """The broker has a batch."""
        self._batches.discard(batch)
        if self._told is not None:
            self._told(batch, metadata)

    def snapshot(self) -> list[asyncio.Future[None]]:
        """The acknowledgements outstanding now; later sends are not among them."""
        return [batch.acknowledged for batch in self._batches]

    async def settled(self) -> None:
        """Wait until everything sent so far is acknowledged."""
        await wait_all(self.snapshot())


async def wait_all(acknowledgements: Iterable[asyncio.Future[None]]) -> None:
    """Wait for all; a caller that is cancelled cancels none of them."""
    for acknowledged in acknowledgements:
        if not acknowledged.done():
            await asyncio.shield(acknowledged)


class Lane:
    """The batches of one topic-partition, sent in order, one at a time."""

    def __init__(self, outbox: Outbox, topic: str, partition: int) -> None:
        self._outbox = outbox
        self._topic = topic
        self._partition = partition
        self._sealed: deque[OutgoingBatch] = deque()
        self._open: OutgoingBatch | None = None
        self._task: asyncio.Task[None] | None = None

    def append(self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]], owner: Pending) -> int:
        """Add a record to the batch that is collected; answers about how many bytes it takes."""
        given = list(headers) if headers else _NO_HEADERS
        batch = self._open or self._begin()
        if batch.add(batch.count, None, key, value, given) is None:
            self._seal()
            batch = self._begin()
            if batch.add(0, None, key, value, given) is None:
                raise ValueError(f"a record for {self._topic} does not fit into an empty batch")
        batch.count += 1
        if owner is not batch.owner and owner not in batch.owners:
            batch.owner = owner
            batch.owners.add(owner)
            owner.add(batch)
        size = (len(key) if key else 0) + (len(value) if value else 0) + 16
        batch.size += size
        if self._task is None:
            self._task = self._outbox.loop.create_task(self._send())
        return size

    def _begin(self) -> OutgoingBatch:
        self._open = OutgoingBatch(self._outbox.producer.create_batch(), self._outbox.loop.create_future())
        return self._open

    def _seal(self) -> None:
        if self._open is not None:
            self._sealed.append(self._open)
            self._open = None

    def _next(self) -> OutgoingBatch | None:
        if not self._sealed:
            self._seal()
        return self._sealed.popleft() if self._sealed else None

    async def _send(self) -> None:
        """Drain the lane, then end: an idle partition costs no task."""
        try:
            while (batch := self._next()) is not None:
                sent_at = time.time() * 1000
                batch.builder.close_with(batch.count)
                delivery = await self._outbox.producer.send_batch(batch.builder, self._topic, partition=self._partition)
                metadata = await delivery
                self._outbox.acknowledge(batch, metadata, sent_at)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever it was, the write did not happen
            self._outbox.failed(f"sending to {self._topic}-{self._partition} failed", error)
        finally:
            self._task = None


class Outbox:
    """Everything the worker produces goes through here.

    ``partitions`` maps each writable logical topic to its partition count; ``failed`` is called (once) when a
    batch cannot be delivered, and its acknowledgement then never comes.
    """

    def __init__(
        self,
        producer: Producer,
        topic: Callable[[str], str],
        partitions: Mapping[str, int],
        *,
        limit: int,
        failed: Failed,
    ) -> None:
        self.producer = producer
        self.failed = failed
        self.loop = asyncio.get_running_loop()
        self.outstanding = 0
        self.records_sent = 0
        #: Broker time minus local time in ms, from the last acknowledgement that told the broker's; None: unknown.
        self.skew_ms: int | None = None
        self._limit = limit
        self._room = asyncio.Event()
        self._room.set()
        self._names = {name: topic(name) for name in partitions}
        self._lanes: dict[str, list[Lane | None]] = {name: [None] * count for name, count in partitions.items()}
        self._next_keyless = 0

    def put(self, outputs: Iterable[Output], owner: Pending) -> None:
        """Take outputs over, in order per partition; they belong to ``owner`` until acknowledged."""
        added = count = 0
        for output in outputs:
            topic, key, partition = output.topic, output.key, output.partition
            lanes = self._lanes[topic]
            if partition is None:
                partition = self._partition(key, len(lanes))
            added += self._lane(topic, lanes, partition).append(key, output.value, output.headers, owner)
            count += 1
        self.records_sent += count
        self._add(added)

    def put_changelog(
        self,
        changelog: str,
        partition: int,
        records: Iterable[tuple[bytes, bytes | None]],
        owner: Pending,
    ) -> None:
        """Take over the records of one part of a checkpoint."""
        lane = self._lane(changelog, self._lanes[changelog], partition)
        added = 0
        for key, value in records:
            added += lane.append(key, value, (), owner)
            self.records_sent += 1
        self._add(added)

    def partitions(self, topic: str) -> int:
        """Partition count of a logical topic."""
        return len(self._lanes[topic])

    async def room(self) -> None:
        """Wait until the unacknowledged bytes are below the limit."""
        await self._room.wait()

    def acknowledge(self, batch: OutgoingBatch, metadata: Any, sent_at: float) -> None:
        """Settle a batch that the broker has."""
        self.outstanding -= batch.size
        if self.outstanding < self._limit:
            self._room.set()
        for owner in batch.owners:
            owner.acknowledged(batch, metadata)
        if metadata is not None and metadata.timestamp_type == 1 and metadata.timestamp is not None:
            self.skew_ms = skew(metadata.timestamp, sent_at, time.time() * 1000)
        if not batch.acknowledged.done():
            batch.acknowledged.set_result(None)

    def _add(self, size: int) -> None:
        self.outstanding += size
        if self.outstanding >= self._limit:
            self._room.clear()

    def _lane(self, topic: str, lanes: list[Lane | None], partition: int) -> Lane:
        if not 0 <= partition < len(lanes):
            raise ValueError(f"topic {topic} has no partition {partition}")
        lane = lanes[partition]
        if lane is None:
            lane = lanes[partition] = Lane(self, self._names[topic], partition)
        return lane

    def _partition(self, key: bytes | None, count: int) -> int:
        if key is not None:
            return partition_of(key, count)
        self._next_keyless += 1
        return self._next_keyless % count


def skew(broker_ms: float, sent_ms: float, acknowledged_ms: float) -> int:
    """Broker clock minus local clock, as far as the round trip proves it: 0 when the broker's time lies within."""
    if broker_ms < sent_ms:
        return int(broker_ms - sent_ms)
    if broker_ms > acknowledged_ms:
        return int(broker_ms - acknowledged_ms)
    return 0

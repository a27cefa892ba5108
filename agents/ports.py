"""What the stream processors need from the outside, and what they give to it.

The engine moves bytes; a processor decides. Topic names here are logical (``events``, ``panes``);
the engine adds the configured prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Record(Protocol):
    """A consumed Kafka record (aiokafka's ``ConsumerRecord`` has this shape)."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Output:  # noqa: PLW1641 - it can change, so it has no hash
    """One record to produce. ``partition=None`` means by Kafka's default hash (murmur2) of the key.

    Written out, as a dataclass would not be compiled with the rest, and every event makes two of these.
    """

    __slots__ = ("headers", "key", "partition", "topic", "value")

    def __init__(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        self.topic = topic
        self.key = key
        self.value = value
        self.partition = partition
        self.headers = headers

    def __repr__(self) -> str:
        return f"Output({self.topic!r}, {self.key!r}, {self.value!r}, {self.partition}, {self.headers!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Output) and repr(self) == repr(other)


@dataclass(slots=True)
class Checkpoint:
    """What one checkpoint writes into its changelog partition, in this order, each part acknowledged
    before the next is sent: ``panes`` (with every output sent so far), ``rows``, ``marker``.
    Then ``offset`` (the next one to process) is committed to Kafka."""

    offset: int
    panes: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    rows: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    marker: tuple[bytes, bytes] = (b"", b"")


class Recovering(Protocol):
    """State of one partition while its changelog is being read."""

    def absorb(self, key: bytes, value: bytes | None) -> None:
        """Merge one changelog record, forward only. Raises ``CorruptChangelogError``."""

    def complete(self) -> PartitionState:
        """The state as of the greatest marker; its ``offset`` is where the log replay starts (-1: no marker)."""


class PartitionState(Protocol):
    """State of one log partition, owned by one assignment."""

    partition: int
    offset: int  # next offset of the log to process


class StatefulProcessor(Protocol):
    """Cases and Customers: a log partition in, rows, panes and outputs out, state in a changelog."""

    name: str
    log: str
    changelog: str

    def recover(self, partition: int) -> Recovering: ...

    def handle(self, state: Any, records: Sequence[Record]) -> list[Output]:
        """Apply records in order and return what to send now. Advances ``state.offset``."""

    def catching_up(self, state: Any) -> bool:
        """Whether event time passes so fast that nobody can follow what is published between two checkpoints."""

    def publish(self, state: Any, *, whole: bool = True) -> list[Output]:
        """Changed panes, levels and the partition's status, for the panes topic; called right before each checkpoint, and
        every publish interval unless catching up: then not ``whole``, so that what is large and not urgent may wait."""

    def checkpoint(self, state: Any, turns: int = 1) -> Checkpoint:
        """Everything changed since the last call, ``turns`` checkpoint intervals ago, taken in one synchronous step."""

"""What the metrics need to see of a worker. The engine implements it; the collectors only read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class PartitionLag(NamedTuple):
    """Records between the position and the end of one partition that this worker owns now."""

    topic: str
    partition: int
    records: int


class SourceProgress(NamedTuple):
    """Progress of one input source. ``at`` is epoch ms, ``None`` before its first event or declaration."""

    source: str
    at: int | None


class OutcomeCount(NamedTuple):
    """How many input records of a topic came to an outcome since this worker started.

    Outcomes: ``accepted``, ``duplicate``, ``ignored``, ``dead_lettered``, ``late``, ``too_late``.
    """

    topic: str
    outcome: str
    records: int


class ProcessorCount(NamedTuple):
    """Records a processor handled since this worker started."""

    processor: str
    records: int


class Timing(NamedTuple):
    """How often something took how long, in total, since this worker started."""

    name: str
    times: int
    seconds: float


class WorkerView(Protocol):
    """The state of one worker at this instant, cheap to read and safe from the scrape's thread.

    Everything is of partitions owned now: what was revoked is gone with the next call.
    """

    def lags(self) -> Iterable[PartitionLag]: ...

    def sources(self) -> Iterable[SourceProgress]: ...

    def watermark(self) -> int | None:
        """The least watermark (ms) of the log partitions owned here."""

    def clock(self) -> int | None:
        """The log's clock (ms)."""

    def outcomes(self) -> Iterable[OutcomeCount]: ...

    def processed(self) -> Iterable[ProcessorCount]: ...

    def checkpoints(self) -> Iterable[Timing]:
        """Checkpoints per processor."""

    def recoveries(self) -> Iterable[Timing]:
        """Recoveries of partitions per processor."""

    def ready(self) -> bool:
        """Assigned, recovered and caught up."""

    def publishing(self) -> bool:
        """Whether this worker's Rollup is the active one: only then are there gauges of KPIs here."""

    def simulated(self) -> bool:
        """Whether the traffic is made up, as far as the newest progress marks say."""

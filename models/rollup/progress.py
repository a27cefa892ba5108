"""How far the whole pipeline is: the watermark is the least of all partitions of all processors."""

from __future__ import annotations

from typing import Final

from models.rollup.records import PartitionKey, StatusRecord

PROCESSORS: Final = ("cases", "customers")
SOURCES_OF: Final = "cases"


class Progress:
    """The newest status of every partition. One that was never heard of holds the watermark at minus infinity (``None``)."""

    def __init__(self, partitions: int) -> None:
        self._expected = [(processor, partition) for processor in PROCESSORS for partition in range(partitions)]
        self._statuses: dict[tuple[str, int], StatusRecord] = {}
        self._clock: int | None = None

    def replace(self, key: PartitionKey, record: StatusRecord) -> None:
        """Take a status unless a newer one is known."""
        where = (key.processor, key.partition)
        known = self._statuses.get(where)
        if known is None or record.fence > known.fence:
            self._statuses[where] = record
            self.hear(record.clock)

    def hear(self, clock: int) -> None:
        """The log's clock (ms), as a partition knows it."""
        self._clock = clock if self._clock is None else max(self._clock, clock)

    def watermark(self) -> int | None:
        """Every fact before this instant (ms) has been read."""
        least: int | None = None
        for where in self._expected:
            status = self._statuses.get(where)
            if status is None or status.watermark is None:
                return None
            least = status.watermark if least is None else min(least, status.watermark)
        return least

    def clock(self) -> int | None:
        """The log's clock (ms)."""
        return self._clock

    def simulated(self) -> bool:
        """Whether any of it is simulated traffic."""
        return any(status.simulated for status in self._statuses.values())

    def sources(self) -> dict[str, int | None]:
        """Progress per input source, the least over the partitions."""
        least: dict[str, int | None] = {}
        for (processor, _), status in self._statuses.items():
            if processor != SOURCES_OF:
                continue
            for source, at in status.sources.items():
                known = least.get(source, at)
                least[source] = None if at is None or known is None else min(known, at)
        return least

    def counters(self) -> dict[str, int]:
        """Sums of the counters of all partitions."""
        totals: dict[str, int] = {}
        for status in self._statuses.values():
            for name, n in status.counters.items():
                totals[name] = totals.get(name, 0) + n
        return totals

"""When a partition's next checkpoint is due: at every interval, and in a backlog more and more seldom; and when a backlog is over."""

from __future__ import annotations

QUIET = 0.25
"""Seconds without a record after which a backlog is over."""
EARLY = 0.03
"""A regular checkpoint that is due within so much of its interval does not wait for the next beat."""
GROWTH = 2.0
"""By so much the next interval of a backlog is longer. A worker that is killed again and again still gets on."""


class Rhythm:
    """Instants and durations are seconds of one monotonic clock.

    ``interval``: between two checkpoints while somebody can follow. ``longest``: the same in a backlog, where each checkpoint
    writes again what the one before has written, and nobody can follow what is published.
    """

    def __init__(self, interval: float, longest: float, now: float) -> None:
        self._interval = interval
        self._longest = max(interval, longest)
        self._present = interval
        self._last = now

    def begin(self, now: float, phase: float) -> None:
        """The first checkpoint comes an interval and a share of another one from now: partitions take turns."""
        self._last = now + phase * self._interval

    def due(self, now: float, *, in_backlog: bool) -> bool:
        """Whether it is time for a checkpoint."""
        return now >= self._last + (self._present if in_backlog else self._interval * (1 - EARLY))

    def cut(self, now: float, *, in_backlog: bool) -> int:
        """A checkpoint begins. How many intervals it stands for, at least 1."""
        turns = round((now - self._last) / self._interval) if self._interval else 1
        self._present = min(self._present * GROWTH, self._longest) if in_backlog else self._interval
        self._last = now
        return max(1, turns)


def until_beat(interval: float, now: float) -> float:
    """Seconds to the next multiple of ``interval``, which is the same instant for all partitions of a process.

    What they publish together goes out in few batches, and Rollup reads it in one turn.
    """
    left = interval - now % interval
    return left if left > interval / 10 else left + interval


class Flow:
    """How long no record has come, in looks at their count: time that the process spent elsewhere does not count."""

    def __init__(self) -> None:
        self._count = -1
        self._quiet = 0

    def look(self, count: int) -> int:
        """Looks since the count last changed; 0 at a change."""
        self._quiet = self._quiet + 1 if count == self._count else 0
        self._count = count
        return self._quiet

"""When a partition's next checkpoint is due: at every interval, and in a backlog more and more seldom."""

from __future__ import annotations

GROWTH = 1.5
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

    def due(self, now: float, *, in_backlog: bool) -> bool:
        """Whether it is time for a checkpoint."""
        return now >= self._last + (self._present if in_backlog else self._interval)

    def cut(self, now: float, *, in_backlog: bool) -> int:
        """A checkpoint begins. How many intervals it stands for, at least 1."""
        turns = round((now - self._last) / self._interval) if self._interval else 1
        self._present = min(self._present * GROWTH, self._longest) if in_backlog else self._interval
        self._last = now
        return max(1, turns)

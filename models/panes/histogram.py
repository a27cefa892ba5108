"""Log-bucket histogram: percentiles that can be added and subtracted.

Buckets are entries ``name:B`` of a pane. Every value read back is within ``ACCURACY`` of the duration
that was put in, so a percentile interpolated between two ranks is too.
"""

from __future__ import annotations

from math import ceil, log
from typing import Final

ACCURACY: Final = 0.008
GAMMA: Final = (1 + ACCURACY) / (1 - ACCURACY)
ZERO: Final = "z"
_PER_LOG_GAMMA: Final = 1 / log(GAMMA)
_MIDDLE: Final = 2 / (GAMMA + 1)


def bucket(duration_ms: int) -> str:
    """The bucket of a duration; one that is not positive falls into ``z`` (the caller counts ``clamped``)."""
    if duration_ms <= 0:
        return ZERO
    return str(ceil(log(duration_ms) * _PER_LOG_GAMMA))


def key(name: str, duration_ms: int) -> str:
    """The pane key that counts this duration."""
    return f"{name}:{bucket(duration_ms)}"


def bucket_value(label: str) -> float:
    """The duration (ms) that stands for every duration of the bucket."""
    return _values[label]


class _Values(dict[str, float]):
    """Values of the buckets that were ever read; about 2,000 cover a year of milliseconds."""

    def __missing__(self, label: str) -> float:
        value = self[label] = 0.0 if label == ZERO else _MIDDLE * float(GAMMA ** int(label))
        return value


_values: Final = _Values()


def count(buckets: dict[str, int]) -> int:
    """How many durations the histogram holds."""
    return sum(buckets.values())


class Ordered:
    """A histogram in the order of its durations, for several quantiles of it; ``count`` durations in all."""

    __slots__ = ("_counts", "_labels", "count")

    def __init__(self, buckets: dict[str, int]) -> None:
        self._labels = sorted(buckets, key=_values.__getitem__)
        self._counts = [buckets[label] for label in self._labels]
        self.count = sum(self._counts)

    def quantile(self, q: float) -> float:
        """The q-quantile in ms by linear interpolation between the two neighbouring ranks (``quantile_cont``).

        Raises ``ValueError`` for an empty histogram.
        """
        position = q * (self.count - 1)
        if position < 0:
            message = "a quantile of nothing"
            raise ValueError(message)
        rank = int(position)
        share = position - rank
        before = at = 0
        counts = self._counts
        last = len(counts) - 1
        while at < last and rank >= before + counts[at]:
            before += counts[at]
            at += 1
        low = _values[self._labels[at]]
        if not share or at == last or rank + 1 < before + counts[at]:
            return low
        return low + share * (_values[self._labels[at + 1]] - low)

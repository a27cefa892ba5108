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


def quantile(buckets: dict[str, int], q: float) -> float:
    """The q-quantile in ms by linear interpolation between the two neighbouring ranks (``quantile_cont``).

    Raises ``ValueError`` for an empty histogram.
    """
    position = q * (sum(buckets.values()) - 1)
    if position < 0:
        message = "a quantile of nothing"
        raise ValueError(message)
    rank = int(position)
    share = position - rank
    ordered = sorted(buckets, key=_values.__getitem__)
    before = 0
    low: float | None = None
    for label in ordered:
        before += buckets[label]
        if low is None and rank < before:
            low = _values[label]
            if not share:
                return low
        if low is not None and rank + 1 < before:
            return low + share * (_values[label] - low)
    return _values[ordered[-1]]

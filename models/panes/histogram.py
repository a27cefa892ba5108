"""Log-bucket histogram: percentiles that can be added and subtracted.

Buckets are entries ``name:B`` of a pane. Every value read back is within ``ACCURACY`` of the duration
that was put in, so a percentile interpolated between two ranks is too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, floor, log

ACCURACY = 0.008
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
ZERO = "z"
_PER_LOG_GAMMA = 1 / log(GAMMA)
_MIDDLE = 2 / (GAMMA + 1)


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
    if label == ZERO:
        return 0.0
    return _MIDDLE * float(GAMMA ** int(label))


def count(buckets: Mapping[str, int]) -> int:
    """How many durations the histogram holds."""
    return sum(buckets.values())


def quantile(buckets: Mapping[str, int], q: float) -> float:
    """The q-quantile in ms by linear interpolation between the two neighbouring ranks (``quantile_cont``).

    Raises ``ValueError`` for an empty histogram.
    """
    return quantiles(buckets, (q,))[0]


def quantiles(buckets: Mapping[str, int], wanted: Iterable[float]) -> list[float]:
    """Several quantiles (ms) with one sort of the buckets."""
    ordered = sorted((-1 << 62 if label == ZERO else int(label), label, n) for label, n in buckets.items() if n > 0)
    total = sum(n for _, _, n in ordered)
    if total == 0:
        message = "a quantile of nothing"
        raise ValueError(message)
    return [_interpolated(ordered, q * (total - 1)) for q in wanted]


def _interpolated(ordered: list[tuple[int, str, int]], position: float) -> float:
    rank = floor(position)
    low = _value_at(ordered, rank)
    share = position - rank
    if share == 0:
        return low
    return low + share * (_value_at(ordered, rank + 1) - low)


def _value_at(ordered: list[tuple[int, str, int]], rank: int) -> float:
    """Value of the zero-based rank; beyond the last one (rounding of ``q``) the greatest."""
    before = 0
    for _, label, n in ordered:
        before += n
        if rank < before:
            return bucket_value(label)
    return bucket_value(ordered[-1][1])

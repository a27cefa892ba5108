"""What a KPI evaluates to."""

from __future__ import annotations

import msgspec

Number = int | float
Signature = Number | tuple[Number | None, Number | None, Number | None, int | None, Number | None] | None


class KpiValue(msgspec.Struct, frozen=True, gc=False):
    """A value with what it was made of. ``value`` is ``None`` where there is none to show; a part that does not apply is ``None``.

    Durations are seconds here. ``since`` is an epoch instant (ms) where the value grows with the clock.
    """

    value: Number | None
    numerator: Number | None = None
    denominator: Number | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    small_n: bool = False
    excluded: Number | None = None
    since: int | None = None

"""The two tiers of slices, by event time: their widths, bounds and expiry."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

Tier = Literal["fast", "slow"]

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
FAST_WIDTH: Final = 10 * SECOND
FAST_KEPT: Final = 2 * HOUR
_YEARS_CHECKED: Final = range(2000, 2038)


def slice_start(at: int, width: int) -> int:
    """Start of the slice [start, start + width) that holds the instant."""
    return at - at % width


@cache
def slow_width(zone: str) -> int:
    """An hour; 15 minutes where the zone's days do not start on a full hour of UTC."""
    where = ZoneInfo(zone)
    for year in _YEARS_CHECKED:
        for month in range(1, 13):
            offset = datetime(year, month, 15, tzinfo=UTC).astimezone(where).utcoffset()
            if offset is not None and offset.total_seconds() % 3600:
                return 15 * MINUTE
    return HOUR

"""Windows [start, end) of event time, all made of whole slices."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from models.panes.tiers import DAY, FAST_WIDTH, HOUR, MINUTE, slice_start, slow_width

SLIDING: Final = {"5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE, "60m": 60 * MINUTE}
ROLLING: Final = {"7d": 7 * DAY, "28d": 28 * DAY}
LIVE: Final = (*SLIDING, "today", *ROLLING)
CLOSING: Final = ("hour", "day")
SPAN: Final = "span"
NOW: Final = "now"
SETTLING: Final = 10 * MINUTE
"""A row is final when the watermark is this far past its end."""

Bounds = tuple[int, int]


def live_bounds(window: str, clock: int, zone: str) -> Bounds:
    """Bounds of a live window for a clock. Raises ``KeyError`` for a window that is not live."""
    if window in SLIDING:
        end = slice_start(clock, FAST_WIDTH) + FAST_WIDTH
        return end - SLIDING[window], end
    width = slow_width(zone)
    end = slice_start(clock, width) + width
    if window == "today":
        return day_bounds(clock, zone)[0], end
    return end - ROLLING[window], end


def closing_bounds(window: str, at: int, zone: str) -> Bounds:
    """Bounds of the ``hour`` or zone ``day`` that holds the instant."""
    if window == "hour":
        start = slice_start(at, HOUR)
        return start, start + HOUR
    return day_bounds(at, zone)


def is_final(end: int, watermark: int | None) -> bool:
    """Whether a window that ends here is final at the watermark."""
    return watermark is not None and watermark >= end + SETTLING


def day_bounds(at: int, zone: str) -> Bounds:
    """The zone's calendar day that holds the instant: 23 or 25 hours long when clocks change."""
    if zone == "UTC":
        start = slice_start(at, DAY)
        return start, start + DAY
    hour = slice_start(at, 15 * MINUTE)
    return _zone_day(hour, zone)


@lru_cache(maxsize=4096)
def _zone_day(at: int, zone: str) -> Bounds:
    where = ZoneInfo(zone)
    midnight = datetime.fromtimestamp(at / 1000, where).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = midnight + timedelta(days=1)
    return int(midnight.timestamp()) * 1000, int(following.timestamp()) * 1000

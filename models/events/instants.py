"""Instants of the input contract: RFC 3339 with an offset, or integer epoch milliseconds; epoch milliseconds inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta

LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, the last one RFC 3339 can write. The first accepted one is 1970-01-01."""

Instant = Annotated[datetime, Meta(tz=True)] | Annotated[int, Meta(ge=0, le=LATEST_MS)]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS: Final = 86_400_000
_LEAP_SECOND: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:)60(\.\d+)?(?:([Zz])|([+-]\d\d:\d\d))\Z", re.ASCII)


def epoch_ms(instant: datetime | int) -> int:
    """Milliseconds since the epoch, fractions of one cut off; negative before 1970. Datetimes must be aware."""
    if isinstance(instant, int):
        return instant
    since = instant - _EPOCH
    return since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def leap_second_ms(text: str) -> int | None:
    """Epoch milliseconds of an RFC 3339 text with second 60, or None if it is none.

    Epoch time has no leap seconds: 23:59:60.5 UTC is half a second past the midnight that follows.
    """
    found = _LEAP_SECOND.match(text)
    if not found:
        return None
    minute, fraction, zulu, offset = found.groups()
    try:
        start = epoch_ms(datetime.fromisoformat(f"{minute}59{'+00:00' if zulu else offset}")) + 1000
    except (ValueError, OverflowError):
        return None
    thousandths = int(f"{fraction or '.'}000"[1:4])
    return start + thousandths if start % _DAY_MS == 0 and start >= 0 else None

"""Times as other systems write them, to instants of the input contract."""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime

from models.events.instants import epoch_ms
from stream_app.settings.problems import suggestion

ReadTime = Callable[[object], object]
"""A value to what the input contract takes for an instant. Raises ``ValueError`` with what is wrong."""

NAMED = ("rfc3339", "epoch_seconds", "epoch_milliseconds")
_LIKE_ISO = {"%Y-%m-%d %H:%M:%S": " ", "%Y-%m-%dT%H:%M:%S": "T"}
"""Patterns that the quick standard parser reads too, with what stands between day and time."""
_LENGTH = len("2026-03-02 09:14:05")


def time_reader(time_format: str, zone: zoneinfo.ZoneInfo | None) -> ReadTime:
    """For a name of ``NAMED`` or a pattern of ``strptime``. ``zone`` is for times that come without an offset.

    A local time that exists twice is the first of the two; one that a change of clocks leaves out is read with the offset before
    the change. Raises ``ValueError`` whose message completes the sentence "time_format …".
    """
    if time_format == "rfc3339":
        return _same if zone is None else _rfc3339(zone)
    if time_format == "epoch_seconds":
        return _epoch_seconds
    if time_format == "epoch_milliseconds":
        return _epoch_milliseconds
    if "%" not in time_format:
        raise ValueError(f'is "{time_format}".{suggestion(time_format, NAMED)} Or a pattern such as "%Y-%m-%d %H:%M:%S"')
    if "%z" not in time_format and zone is None:
        raise ValueError('has no %z: say with time_zone where these times are, such as "Europe/Berlin"')
    _check_pattern(time_format)
    return _pattern(time_format, zone or zoneinfo.ZoneInfo("UTC"))


def time_zone(name: str) -> zoneinfo.ZoneInfo:
    """Raises ``ValueError`` whose message completes the sentence "time_zone …"."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ValueError(f'is "{name}", not a time zone.{suggestion(name, zoneinfo.available_timezones())}') from error


def _same(value: object) -> object:
    """The decoder reads these itself, and quicker."""
    return value


def _rfc3339(zone: zoneinfo.ZoneInfo) -> ReadTime:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return value  # a leap second, or nothing that the decoder would not name better
        return epoch_ms(found if found.tzinfo is not None else found.replace(tzinfo=zone))

    return read


def _epoch_seconds(value: object) -> object:
    return round(_number(value) * 1000)


def _epoch_milliseconds(value: object) -> object:
    return round(_number(value))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")
    try:
        number = value if isinstance(value, int) else float(value)
    except ValueError:
        raise ValueError("not a number") from None
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _pattern(pattern: str, zone: zoneinfo.ZoneInfo) -> ReadTime:
    between = _LIKE_ISO.get(pattern)

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"not a text in the format {pattern}")
        if between is not None and len(value) == _LENGTH and value[10] == between:
            found = datetime.fromisoformat(value)
        else:
            found = datetime.strptime(value, pattern)  # noqa: DTZ007 - the zone follows
        return epoch_ms(found if found.tzinfo is not None else found.replace(tzinfo=zone))

    return read


def _check_pattern(pattern: str) -> None:
    example = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    try:
        found = datetime.strptime(example.strftime(pattern), pattern)  # noqa: DTZ007 - it is only looked at
    except ValueError as error:
        raise ValueError(f"is no pattern that can be read back: {error}") from error
    if found.date() != example.date():
        raise ValueError("has no full date: year, month and day are needed")

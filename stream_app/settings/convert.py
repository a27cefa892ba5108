"""One written value to the type of its setting, or a message that says what to write instead."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_origin

from stream_app.settings.durations import HINT, format_duration, parse_duration
from stream_app.settings.fields import Documented
from stream_app.settings.problems import suggestion

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def convert(hint: Any, value: object, documented: Documented, *, text: bool) -> object:
    """``value`` as ``hint``, within the limits of ``documented``.

    ``text``: the value comes from the environment, where everything is written as text.
    Raises ``ValueError`` whose message completes the sentence "<key> …".
    """
    hint = _without_none(hint)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        return tuple(convert(item, given, documented, text=False) for given in _list(value, text=text))
    converted = _SCALARS[hint](_from_text(hint, value) if text else value)
    _check_limits(converted, documented)
    return converted


def _without_none(hint: Any) -> Any:
    if get_origin(hint) is types.UnionType:
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _from_text(hint: Any, value: object) -> object:
    written = str(value).strip()
    if hint is bool and written.lower() in _TRUE + _FALSE:
        return written.lower() in _TRUE
    if hint in (int, float):
        try:
            return hint(written)
        except ValueError:
            return written
    return written


def _list(value: object, *, text: bool) -> list[object]:
    if text:
        return _list_from_text(str(value).strip())
    if isinstance(value, list):
        return value
    raise ValueError(f'must be a list, such as ["a", "b"], not {_shown(value)}')


def _list_from_text(written: str) -> list[object]:
    if not written.startswith("["):
        return [part.strip() for part in written.split(",") if part.strip()]
    try:
        parsed = json.loads(written)
    except ValueError as error:
        raise ValueError('must be a list: a,b or ["a", "b"]') from error
    return list(parsed)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"must be text in quotation marks, not {_shown(value)}")


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"must be a whole number without quotation marks, not {_shown(value)}")


def _fraction(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError(f"must be a number without quotation marks, not {_shown(value)}")


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"must be true or false, not {_shown(value)}")


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError(f"is a duration: {HINT}, not {_shown(value)}")
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"is {_shown(value)}, not a duration: {error}") from error


def _path(value: object) -> Path | None:
    """Empty text takes back what a file of settings says: an environment variable can not be "none"."""
    written = _text(value)
    return Path(written).expanduser() if written else None


_SCALARS: dict[Any, Callable[[object], object]] = {
    str: _text,
    int: _number,
    float: _fraction,
    bool: _truth,
    timedelta: _duration,
    Path: _path,
}


def _check_limits(value: object, documented: Documented) -> None:
    _check_choice(value, documented)
    if documented.minimum is not None and value < documented.minimum:  # type: ignore[operator]
        raise ValueError(f"is {_shown(value)}; the least is {_shown(documented.minimum)}")
    if documented.maximum is not None and value > documented.maximum:  # type: ignore[operator]
        raise ValueError(f"is {_shown(value)}; the most is {_shown(documented.maximum)}")
    if documented.whole is not None and value % documented.whole:  # type: ignore[operator]
        raise ValueError(f"is {_shown(value)}; it must be a multiple of {_shown(documented.whole)}")


def _check_choice(value: object, documented: Documented) -> None:
    if documented.choices and value not in documented.choices:
        raise ValueError(f"is {_shown(value)}.{suggestion(str(value), documented.choices)}")


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    return json.dumps(value, ensure_ascii=False, default=str)

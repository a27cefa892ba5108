"""What processes write about themselves: lines for people or JSON for collectors, never the contents of events."""

from __future__ import annotations

import json
import logging
import sys
import time
from types import TracebackType
from typing import TextIO

LONGEST_MESSAGE = 1000
"""Characters; longer ones are cut, so that no payload gets out by way of somebody's error message."""

_LOUD_LIBRARIES = ("aiokafka", "faust", "mode", "aiohttp", "asyncio", "kafka")
_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure_logging(level: str, form: str, stream: TextIO | None = None, *, worker: int | None = None) -> None:
    """Sends every log record to ``stream`` (default: standard error) as ``text`` or ``json``.

    ``worker``: number of a process among several that write to one stream; every line then carries it, those of an exception that
    nobody catches too.
    Libraries speak from warnings on, unless the level is ``debug``. May be called again; the last call holds.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(worker) if form == "json" else TextFormatter(worker))
    if worker is not None:
        sys.excepthook = _log_uncaught
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _LOUD_LIBRARIES:
        library = logging.getLogger(name)
        library.setLevel(logging.NOTSET if level == "debug" else max(logging.WARNING, root.level))
        library.handlers.clear()
        library.propagate = True


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("ended by an exception: %r", error, exc_info=(kind, error, trace))


def only_results() -> None:
    """For commands that run once and tell themselves what went wrong: libraries say nothing."""
    for name in _LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class TextFormatter(logging.Formatter):
    """``2026-03-02T09:14:05.120Z warning stream_app.engine: message key=value``; of several: ``… warning [worker 1] stream_app…``."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = "" if worker is None else f"[worker {worker}] "

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the stack below it if there is one."""
        line = f"{_instant(record)} {record.levelname.lower():7} {self._worker}{record.name}: {_message(record)}"
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        stack = "".join(f"\n    {self._worker}{frame}" for frame in _stack(record).splitlines())
        return line + fields + stack


class JsonFormatter(logging.Formatter):
    """One JSON object per line: ``at``, ``level``, ``logger``, ``message``, ``worker`` of several, what was in ``extra``, ``stack``."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """The object, always valid JSON."""
        content: dict[str, object] = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **self._worker,
            **_fields(record),
        }
        if stack := _stack(record):
            content["stack"] = stack
        return json.dumps(content, ensure_ascii=False, default=str)


def _instant(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03}Z"


def _message(record: logging.LogRecord) -> str:
    return _cut(record.getMessage().replace("\n", " "))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    given = {name: value for name, value in vars(record).items() if name not in _FIELDS}
    return {name: value if isinstance(value, int | float) else _cut(str(value)) for name, value in given.items()}


def _stack(record: logging.LogRecord) -> str:
    """Frames and the type of the error; its text is cut, because some errors quote what they could not read."""
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    frames = logging.Formatter().formatException(record.exc_info).splitlines()
    return "\n".join(_cut(frame) for frame in frames)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}… ({len(text)} characters)"

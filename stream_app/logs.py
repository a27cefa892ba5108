"""What processes write about themselves: lines for people or JSON for collectors, never the contents of events.

Every line of ours at warning or above has the field ``event``, a name that stays: ``docs/reference/log-messages.md``.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

from models.durability.keyed import RecordFailedError
from models.events.rejection import RejectedError

logger = logging.getLogger(__name__)

LONGEST_MESSAGE = 1000
"""Characters; longer ones are cut, so that no payload gets out by way of somebody's error message."""

_LOUD_LIBRARIES = ("aiokafka", "faust", "mode", "aiohttp", "asyncio", "kafka")
_OUR_ERRORS = ("stream_app.", "agents.", "models.", "aiokafka.")
_QUOTING = (RecordFailedError, RejectedError)
"""Errors of ours whose texts go into dead letters and may quote what they are about."""
_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure_logging(level: str, form: str, stream: TextIO | None = None, *, worker: int | None = None) -> None:
    """Sends every log record to ``stream`` (default: standard error) as ``text`` or ``json``.

    ``worker``: number of a process among several that write to one stream; every line then carries it. An exception that nobody
    catches is a line like any other.
    Libraries speak from warnings on, with the level ``debug`` from ``info`` on: below that they quote what they send. May be called
    again; the last call holds.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(worker) if form == "json" else TextFormatter(worker))
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda ended: _log_uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _LOUD_LIBRARIES:
        library = logging.getLogger(name)
        library.setLevel(logging.INFO if level == "debug" else max(logging.WARNING, root.level))
        library.handlers.clear()
        library.propagate = True


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or not issubclass(kind, Exception):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    logger.critical("ended by an exception: %r", error, exc_info=(kind, error, trace), extra={"event": "uncaught_exception"})


def error_words(error: BaseException | None) -> str:
    """An error for the log: its type, and its text where that cannot quote an event (the system's, Kafka's, most of ours)."""
    if error is None:
        return "no reason known"
    kind = type(error)
    tells = isinstance(error, OSError) or (kind.__module__.startswith(_OUR_ERRORS) and not isinstance(error, _QUOTING))
    text = str(error).removeprefix(f"{kind.__name__}: ") if tells else ""
    return f"{kind.__name__}: {text}" if text else kind.__name__


class _Discreet:
    """Stands in for an error among the arguments of a log call."""

    def __init__(self, error: BaseException) -> None:
        self._words = error_words(error)

    def __repr__(self) -> str:
        return self._words


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
    """With errors in our words; of asyncio the first line only, as the others show whole tasks with their errors."""
    told = logging.makeLogRecord({"msg": _discreet(record.msg), "args": record.args})
    if isinstance(record.args, tuple):
        told.args = tuple(_discreet(argument) for argument in record.args)
    text = told.getMessage()
    return _cut(text.partition("\n")[0] if record.name == "asyncio" else text.replace("\n", " "))


def _discreet(value: object) -> object:
    return _Discreet(value) if isinstance(value, BaseException) else value


def _fields(record: logging.LogRecord) -> dict[str, object]:
    given = {name: value for name, value in vars(record).items() if name not in _FIELDS}
    return {name: value if isinstance(value, int | float) else _cut(str(_discreet(value))) for name, value in given.items()}


def _stack(record: logging.LogRecord) -> str:
    """Frames and our words of the error, what caused it first."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    return "\n".join(_cut(line) for error in _chain(record.exc_info[1]) for line in _frames(error))


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__ or (None if chain[-1].__suppress_context__ else chain[-1].__context__)) and cause not in chain:
        chain.append(cause)
    return chain[::-1]


def _frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.format_tb(error.__traceback__):
        yield from frame.rstrip().splitlines()
    yield error_words(error)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}… ({len(text)} characters)"

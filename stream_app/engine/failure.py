"""How a worker ends itself: one clear line, a documented exit code, nothing half-written after it."""

from __future__ import annotations

import enum
import logging
import os
import sys
from collections.abc import Callable

from stream_app.logs import error_words

logger = logging.getLogger(__name__)


class ExitCode(enum.IntEnum):
    """Exit codes of a worker. The supervisor restarts on ``FAILED`` and ``STALLED``; a person is needed for the others."""

    CLEAN = 0
    #: State, log or input do not fit together (an offset that its topic no longer holds).
    OFFSET_OUT_OF_RANGE = 65
    #: A write, a commit or a processor failed; nothing was committed after it. Restart.
    FAILED = 70
    #: No progress; another worker takes over. Restart.
    STALLED = 75
    #: The brokers do not let this user in, or not to everything it needs.
    ACCESS_DENIED = 77
    #: Topics are missing or their partition counts do not match.
    REFUSED = 78


class RefusalError(Exception):
    """The worker must not run like this; ``code`` says why, the message says the way out."""

    def __init__(self, message: str, code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.code = code


class FailStop:
    """Ends the process at the first failure. ``exit_process`` never returns in production."""

    def __init__(self, exit_process: Callable[[int], object] = os._exit) -> None:
        self._exit_process = exit_process
        self.reason: str | None = None

    def __call__(self, reason: str, code: ExitCode = ExitCode.FAILED, cause: BaseException | None = None) -> None:
        """Log one line with ``reason``, flush what is buffered, end with ``code``. Callable from any thread."""
        if self.reason is not None:
            return
        self.reason = reason
        detail = f": {error_words(cause)}" if cause is not None else ""
        about = {"event": "worker_stops", "exit_code": int(code)}
        logger.critical("worker stops (exit %d): %s%s", int(code), reason, detail, exc_info=cause, extra=about)
        for handler in logging.getLogger().handlers:
            handler.flush()
        sys.stdout.flush()
        sys.stderr.flush()
        self._exit_process(int(code))

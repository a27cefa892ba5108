"""A supervised worker's end of the pipe to its supervisor: when that is gone, so is the worker."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

from stream_app.engine import ExitCode

logger = logging.getLogger(__name__)

STDIN = 0
GRACE_SECONDS = 15.0
"""For the clean stop; more than the engine allows itself for it, so that this end is for workers that do not answer."""


def hold_lifeline(descriptor: int = STDIN, grace_seconds: float = GRACE_SECONDS) -> None:
    """Watch a pipe of which the supervisor holds the other end and into which nobody writes.

    The kernel closes it whatever the supervisor died of. The process then gets a SIGTERM, as if the supervisor had sent it, and
    ends with ``FAILED`` if it is still there after the grace. To be called before anything else: a supervisor that has been
    gone for a while is noticed too.
    """
    threading.Thread(target=_watch, args=(descriptor, grace_seconds), name="lifeline", daemon=True).start()


def _watch(descriptor: int, grace_seconds: float) -> None:
    try:
        while os.read(descriptor, 1):
            continue
    except OSError as error:
        logger.warning("the pipe to the supervising process broke: %r", error, extra={"event": "supervisor_gone"})
    logger.warning("the supervising process is gone: stopping", extra={"event": "supervisor_gone"})
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace_seconds)
    os._exit(ExitCode.FAILED)

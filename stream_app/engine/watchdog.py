"""A thread that ends the process when nothing moves: heartbeats go on while a handler hangs, so Kafka never would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic

from stream_app.engine.failure import ExitCode, FailStop


class Watchdog:
    """Watches the event loop from outside, and from inside what ``stalled`` finds (a reason, or None)."""

    def __init__(self, fail: FailStop, timeout: float, stalled: Callable[[], str | None]) -> None:
        self._fail = fail
        self._timeout = timeout
        self._stalled = stalled
        self._pace = min(1.0, timeout / 20)
        self._beat = monotonic()
        self._stop = threading.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._tick()
        threading.Thread(target=self._watch, name="engine-watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._beat = monotonic()
        reason = self._stalled()
        if reason is not None:
            self._fail(reason, ExitCode.STALLED)
        self._timer = asyncio.get_running_loop().call_later(self._pace, self._tick)

    def _watch(self) -> None:
        while not self._stop.wait(self._pace):
            if monotonic() - self._beat > self._timeout:
                self._fail(f"the event loop has not moved for {self._timeout:.0f} s (a handler hangs)", ExitCode.STALLED)

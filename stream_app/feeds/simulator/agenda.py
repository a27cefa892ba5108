"""Event-driven time: processes that wait, in the order of their instants.

A process is a generator. It yields a number of milliseconds to sleep, or a ``Signal`` to wait for, and is
resumed with what the signal was fired with. Equal instants run in the order in which they were scheduled,
so a run is a function of its seed.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator


class Signal:
    """Something one process waits for. Fired once; firing before anyone waits is remembered."""

    __slots__ = ("fired", "value", "waiting")

    def __init__(self) -> None:
        self.fired = False
        self.value: object = None
        self.waiting: Process | None = None


Process = Generator[int | Signal, object, None]


class Agenda:
    """What is to happen when. ``now`` (epoch ms) only moves forward."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._heap: list[tuple[int, int, Process, object]] = []
        self._scheduled = 0

    def start(self, process: Process, delay: int = 0) -> None:
        """Begin a process after ``delay`` ms."""
        self._schedule(self.now + delay, process, None)

    def fire(self, signal: Signal, value: object) -> None:
        """Resume who waits for the signal, at this instant; a second firing changes nothing."""
        if signal.fired:
            return
        signal.fired, signal.value = True, value
        if signal.waiting is not None:
            self._schedule(self.now, signal.waiting, value)

    def step(self) -> bool:
        """Move to the next instant and let its process run; False when nothing is left to do."""
        if not self._heap:
            return False
        self.now, _, process, value = heapq.heappop(self._heap)
        try:
            wait = process.send(value)
        except StopIteration:
            return True
        if isinstance(wait, Signal):
            self._wait(process, wait)
        else:
            self._schedule(self.now + max(wait, 0), process, None)
        return True

    def _wait(self, process: Process, signal: Signal) -> None:
        if signal.fired:
            self._schedule(self.now, process, signal.value)
        else:
            signal.waiting = process

    def _schedule(self, instant: int, process: Process, value: object) -> None:
        self._scheduled += 1
        heapq.heappush(self._heap, (instant, self._scheduled, process, value))

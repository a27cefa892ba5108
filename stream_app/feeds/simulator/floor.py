"""The floor: representatives of each queue, who they serve next, and who waits."""

from __future__ import annotations

import heapq
import math
from collections import deque

from stream_app.feeds.simulator.agenda import Agenda, Process, Signal
from stream_app.feeds.simulator.profile import HOUR, MINUTE, QueueProfile, Rhythm

STAFFING_MARGIN = 0.35
"""Square-root staffing, load + margin * sqrt(load): at 0.35 a few customers in a hundred give up."""
LIVE_SHARE = 0.7
WRITTEN_WORK_PER_CONTACT = 260_000
"""Milliseconds of work outside calls and chats that a contact leads to on average."""


class Turn:
    """One wait for a representative. ``served`` fires with (``answered``, representative) or (why given up, nothing)."""

    __slots__ = ("served", "waiting")

    def __init__(self) -> None:
        self.served = Signal()
        self.waiting = True


class Desk:
    """The representatives of one queue. Live contacts go before written work, urgent before the rest, then by arrival."""

    def __init__(self, agenda: Agenda, profile: QueueProfile, contacts_per_hour: float, rhythm: Rhythm) -> None:
        self.agenda = agenda
        self.profile = profile
        self.rhythm = rhythm
        work_per_contact = LIVE_SHARE * profile.talk_ms * 1.25 + WRITTEN_WORK_PER_CONTACT
        self.mean_load = contacts_per_hour * profile.share * work_per_contact / HOUR
        seats = self._staff_for(self.mean_load * rhythm.peak())
        self.free = deque(f"{profile.name}-{number:02d}" for number in range(1, seats + 1))
        self.on_duty = 0
        self.busy = 0
        self._line: list[tuple[int, int, Turn]] = []
        self._arrivals = 0

    @staticmethod
    def _staff_for(load: float) -> int:
        return max(1, math.ceil(load + STAFFING_MARGIN * math.sqrt(load)))

    def shifts(self) -> Process:
        """Staff the desk for the traffic to come, every quarter of an hour, for ever."""
        while True:
            self.on_duty = self._staff_for(self.mean_load * self.rhythm.intensity(self.agenda.now + 15 * MINUTE))
            self._serve()
            yield 15 * MINUTE

    def wait(self, rank: int, *, live: bool) -> Turn:
        """Join the line."""
        turn = Turn()
        self._arrivals += 1
        heapq.heappush(self._line, (rank if live else rank + 10, self._arrivals, turn))
        self._serve()
        return turn

    def leave(self, turn: Turn, why: str) -> None:
        """Give up waiting; nothing happens when the turn has come already."""
        if turn.waiting:
            turn.waiting = False
            self.agenda.fire(turn.served, (why, ""))

    def release(self, representative: str) -> None:
        """The representative is free again."""
        self.busy -= 1
        self.free.append(representative)
        self._serve()

    def _serve(self) -> None:
        while self._line and self.busy < self.on_duty and self.free:
            _, _, turn = heapq.heappop(self._line)
            if turn.waiting:
                turn.waiting = False
                self.busy += 1
                self.agenda.fire(turn.served, ("answered", self.free.popleft()))

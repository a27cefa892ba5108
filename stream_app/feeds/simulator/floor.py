"""The floor: representatives of each desk, who they serve next, and who waits."""

from __future__ import annotations

import heapq
import math
from collections import deque

from stream_app.feeds.simulator.agenda import Agenda, Process, Signal
from stream_app.feeds.simulator.chance import Chance
from stream_app.feeds.simulator.profile import HOUR, MINUTE, Rhythm
from stream_app.feeds.simulator.staffing import seats_for

SHIFT = 15 * MINUTE
FORECAST_ERROR = 0.1
"""Standard deviation of the logarithm: what a forecast of a quarter of an hour is off by."""
GIVING_UP, GIVING_UP_SMALL = 0.02, 0.073
"""Share of customers that staffing accepts to lose, at a large desk; and how much more a very small one does."""
TRUST = 150.0
"""Arrivals after which a desk believes its own count as much as the plan."""
STEPS_PER_DOUBLING = 64
"""Loads are rounded to this many steps, so that few have to be computed."""


class Turn:
    """One wait for a representative. ``served`` fires with (``answered``, representative) or (why given up, nothing)."""

    __slots__ = ("served", "waiting")

    def __init__(self) -> None:
        self.served = Signal()
        self.waiting = True


class Desk:
    """Representatives who serve one line: urgent before the rest, then by arrival."""

    def __init__(self, agenda: Agenda, name: str) -> None:
        self.agenda = agenda
        self.name = name
        self.free: deque[str] = deque()
        self.on_duty = 0
        self.busy = 0
        self.arrivals = 0
        self._hired = 0
        self._line: list[tuple[int, int, Turn]] = []

    def staff(self, seats: int) -> None:
        """So many are on duty from now on; who is busy finishes first."""
        self.on_duty = seats
        while self._hired < seats:
            self._hired += 1
            self.free.append(f"{self.name}-{self._hired:02d}")
        self._serve()

    def wait(self, rank: int) -> Turn:
        """Join the line."""
        turn = Turn()
        self.arrivals += 1
        heapq.heappush(self._line, (rank, self.arrivals, turn))
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


class Planner:
    """Staffs a desk every quarter of an hour, for the traffic that it expects."""

    def __init__(self, agenda: Agenda, rhythm: Rhythm, chance: Chance) -> None:
        self.agenda = agenda
        self.rhythm = rhythm
        self.chance = chance

    def live(self, desk: Desk, per_hour: float, handling_ms: float, patience_ms: float) -> Process:
        """For customers who do not wait long. Learns from the arrivals how far the plan ``per_hour`` is off; forecasts miss."""
        expected = 0.0
        while True:
            intensity = self.rhythm.intensity(self.agenda.now + SHIFT // 2)
            learned = (desk.arrivals + TRUST) / (expected + TRUST)
            expected += per_hour * intensity * SHIFT / HOUR
            load = learned * per_hour * intensity * handling_ms / HOUR
            load *= self.chance.lognormvariate(0, FORECAST_ERROR)
            target = GIVING_UP + GIVING_UP_SMALL / (1 + math.sqrt(load) / 2)
            seats = seats_for(_rounded(load), patience_ms / handling_ms, round(target, 2))
            desk.staff(math.floor(seats + self.chance.random()))
            yield SHIFT

    def unhurried(self, desk: Desk, per_hour: float, handling_ms: float) -> Process:
        """For written work: enough for the busiest of the last hours."""
        while True:
            intensity = max(self.rhythm.intensity(self.agenda.now - hours * HOUR) for hours in (0, 1, 2, 4, 6))
            load = per_hour * intensity * handling_ms / HOUR
            desk.staff(math.ceil(load + 1.5 * math.sqrt(load)))
            yield SHIFT


def _rounded(load: float) -> float:
    return float(2 ** (round(math.log2(load) * STEPS_PER_DOUBLING) / STEPS_PER_DOUBLING))

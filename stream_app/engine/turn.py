"""A lock that the one who is furthest behind gets first."""

from __future__ import annotations

import asyncio
import heapq
from time import monotonic

PATIENCE = 1.0
"""Seconds after which the longest waiting is next whatever its rank, so that nobody starves."""


class Turn:
    """Held by one at a time; the next is the one with the least rank. Cancellation while waiting gives nothing away."""

    def __init__(self) -> None:
        self._held = False
        self._count = 0
        self._ranked: list[tuple[int, int]] = []
        self._waiting: dict[int, tuple[asyncio.Future[None], float]] = {}

    async def take(self, rank: int) -> None:
        """Wait for the turn."""
        if not self._held:
            self._held = True
            return
        self._count += 1
        number = self._count
        granted = asyncio.get_running_loop().create_future()
        self._waiting[number] = granted, monotonic()
        heapq.heappush(self._ranked, (rank, number))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.give_back()
            self._waiting.pop(number, None)
            raise

    def give_back(self) -> None:
        """Hand it to the next one."""
        self._held = False
        number = self._next()
        if number is not None:
            granted, _ = self._waiting.pop(number)
            self._held = True
            granted.set_result(None)

    def may_keep(self, rank: int) -> bool:
        """Whether nobody who waits comes before this rank."""
        self._forget_gone()
        return not self._ranked or (rank <= self._ranked[0][0] and not self._impatient())

    def _next(self) -> int | None:
        self._forget_gone()
        if not self._ranked:
            return None
        if self._impatient():
            return next(iter(self._waiting))
        return heapq.heappop(self._ranked)[1]

    def _impatient(self) -> bool:
        _, since = next(iter(self._waiting.values()))
        return monotonic() - since > PATIENCE

    def _forget_gone(self) -> None:
        while self._ranked and self._ranked[0][1] not in self._waiting:
            heapq.heappop(self._ranked)

"""What compaction asks of an owner: it keeps the last record of a key, not the newest.

A worker that was stopped and woke up may write a record that is older than what stands there. It loses every merge, until compaction
drops the newer one before it. So the newest is written again in time: every live key within ``REWRITE_OVER`` turns, and a
deletion as often, until its tombstone follows. A turn is the time between two regular checkpoints; one that comes later stands for several.

    row 17 ── deleted 20 ── row 17 (a zombie) ── deleted 20 ── … ── deleted 20, tombstone
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Generic, TypeVar

TOMBSTONE_AFTER = 4_000
"""Turns between a ``deleted`` record and its tombstone: past the compaction lag of an hour at one a second."""
REWRITE_OVER = 1_500
"""Every live key is written again within so many turns: half the compaction lag, less a margin."""

Key = TypeVar("Key")
Deleted = TypeVar("Deleted")


class Rounds(Generic[Key]):
    """Goes round all live keys, a share at each turn."""

    def __init__(self) -> None:
        self._round: Iterator[Key] = iter(())
        self._share = 0
        self._turn = 0

    def share(self, turn: int, live: Callable[[], Collection[Key]]) -> list[Key]:
        """Keys whose turn it is, or was since the last call; some may be gone since the round began."""
        passed, self._turn = turn - self._turn, turn
        left = turn % REWRITE_OVER + 1  # turns of this round, if it begins now
        if passed < left:
            return list(islice(self._round, self._share * passed))
        last = list(self._round)
        keys = list(live())
        self._share = len(keys) // REWRITE_OVER + 1
        self._round = iter(keys)
        if passed - left >= REWRITE_OVER:  # a whole round has passed
            return keys
        return last + list(islice(self._round, self._share * left))


class Graves(Generic[Key, Deleted]):
    """Deleted keys with what says so, until their tombstones."""

    def __init__(self) -> None:
        self._deleted: dict[Key, Deleted] = {}
        self._turns: deque[tuple[int, int, list[Key], list[Deleted]]] = deque()  # due, buried, keys, what says so

    def __len__(self) -> int:
        return len(self._deleted)

    def bury(self, key: Key, deleted: Deleted, turn: int) -> None:
        """``deleted`` is written at this turn. A key that lies there already lies on, unless it was deleted anew meanwhile."""
        if self._deleted.get(key) == deleted:
            return
        self._deleted[key] = deleted
        turns = self._turns
        if not turns or turns[-1][:2] != (turn + REWRITE_OVER, turn):
            turns.append((turn + REWRITE_OVER, turn, [], []))
        turns[-1][2].append(key)
        turns[-1][3].append(deleted)

    def exhume(self, key: Key) -> None:
        """The key lives again: no tombstone for it."""
        self._deleted.pop(key, None)

    def take(self, turn: int) -> tuple[list[tuple[Key, Deleted]], list[tuple[Key, Deleted]]]:
        """(to say deleted once more, to say deleted and then bury for good) at this turn."""
        again: list[tuple[Key, Deleted]] = []
        over: list[tuple[Key, Deleted]] = []
        turns = self._turns
        while turns and turns[0][0] <= turn:
            _, buried, keys, deletions = turns.popleft()
            still = [(key, deleted) for key, deleted in zip(keys, deletions, strict=True) if self._deleted.get(key) is deleted]
            if turn < buried + TOMBSTONE_AFTER:
                again += still
                turns.append((turn + REWRITE_OVER, buried, keys, deletions))
            else:
                over += still
                for key, _ in still:
                    del self._deleted[key]
        return again, over

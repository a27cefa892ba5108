"""One SLA clock of a case: when it is due, and what came of it.

    start ──── running ────┬── paused ──┬── running ──────────● due = start + target + pauses
                           status       customer wrote        fulfilled at or before it: met

A pure value machine: it is told instants in event order and never looks at any other clock.
"""

from __future__ import annotations

from typing import Final

NONE: Final = 0
RUNNING: Final = 1
MET: Final = 2
PASSED: Final = 3  # due went by unfulfilled: a breach, once the watermark confirms it


class Clock:
    """``target`` in ms, or a ``fixed`` due instant promised by the source (never paused, never re-targeted).

    ``changes`` counts the changes of state and due instant.
    """

    __slots__ = ("_floor", "_paused_for", "_paused_since", "changes", "due", "fixed", "fulfilled_at", "metric", "start", "state", "target")

    def __init__(self, metric: str, start: int, target: int | None, fixed: int | None) -> None:
        self.metric = metric
        self.start = start
        self.target = target
        self.fixed = fixed
        self.fulfilled_at: int | None = None
        self._paused_for = 0
        self._paused_since: int | None = None
        self._floor = start
        self.state = NONE if target is None and fixed is None else RUNNING
        self.due: int | None = None
        self.changes = 0
        self._compute()

    def _compute(self) -> None:
        self.changes += 1
        if self.fixed is not None:
            self.due = self.fixed
        elif self.target is None or self._paused_since is not None:
            self.due = None
        else:
            self.due = max(self.start + self.target + self._paused_for, self._floor)

    @property
    def expires_at(self) -> int | None:
        """The instant after which a running clock is missed; ``None`` while nothing is due."""
        return self.due if self.state == RUNNING else None

    def warn_at(self, share: float) -> int | None:
        """When ``share`` of the target is used up; ``None`` while nothing is due."""
        if self.state != RUNNING or self.due is None:
            return None
        whole = self.fixed - self.start if self.fixed is not None else self.target
        return self.due - round((1 - share) * max(whole or 0, 0))

    def pause(self, at: int) -> None:
        """Stop the clock (a fixed due instant runs on)."""
        if self.state == RUNNING and self.fixed is None and self._paused_since is None:
            self._paused_since = max(at, self.start)
            self._compute()

    def resume(self, at: int) -> None:
        """Go on; the time since the pause does not count."""
        if self._paused_since is not None and self.state == RUNNING:
            self._paused_for += max(at - self._paused_since, 0)
            self._paused_since = None
            self._compute()

    def retarget(self, at: int, target: int | None) -> None:
        """Another target from the start on, pauses kept; what was just promised can't be missed before ``at``."""
        if self.state != RUNNING or self.fixed is not None:
            return
        self.target = target
        self._floor = at
        if target is None:
            self.state = NONE
        self._compute()

    def fulfil(self, at: int) -> bool:
        """Take the fulfilment; true when that makes the clock met. A passed one keeps its verdict."""
        if self.fulfilled_at is None:
            self.fulfilled_at = at
        if self.state != RUNNING:
            return False
        self.state = MET
        self.changes += 1
        return True

    def expire(self) -> None:
        """The due instant went by unfulfilled."""
        self.state = PASSED
        self.changes += 1

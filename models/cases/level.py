"""The level of a case: what it adds to backlog ages, waiting and clocks, as of the instant it is settled to."""

from __future__ import annotations

from typing import Final

from models.cases.row import ClockLevel, Level
from models.cases.rules import CaseRules
from models.cases.state import UNRESOLVED, CaseState
from models.progress.watermark import NEVER
from models.sla.clock import PASSED, RUNNING, Clock

HOUR: Final = 3_600_000
AGE_EDGES: Final = (4 * HOUR, 24 * HOUR, 72 * HOUR, 168 * HOUR)
AGE_NAMES: Final = ("age:lt4h", "age:lt1d", "age:lt3d", "age:lt7d", "age:older")
ON_TIME: Final = 1
AT_RISK: Final = 2
OVERDUE: Final = 3
NOBODY_WAITS: Final = -1


def level_of(fold: CaseState, rules: CaseRules) -> Level | None:
    """``None`` for a case that is not in the backlog (no opening, closed or exempt)."""
    if fold.opened_at is None or fold.exempt or fold.status == "closed":
        return None
    if fold.status not in UNRESOLVED:
        return fold.cell, fold.status, -1, NOBODY_WAITS, fold.opened_at, ()
    awaiting = fold.awaiting_since
    return (
        fold.cell,
        fold.status,
        _age(fold.opened_at, fold.settled_to),
        NOBODY_WAITS if awaiting is None else awaiting,
        fold.opened_at,
        (*_clock_level(fold.reply_clock, fold, rules), *_clock_level(fold.resolution_clock, fold, rules)),
    )


def _age(opened_at: int, settled_to: int) -> int:
    if settled_to == NEVER:
        return 0
    age = settled_to - opened_at
    for number, edge in enumerate(AGE_EDGES):
        if age < edge:
            return number
    return len(AGE_EDGES)


def _clock_level(clock: Clock | None, fold: CaseState, rules: CaseRules) -> tuple[ClockLevel, ...]:
    due = clock.due if clock is not None else None
    if clock is None or due is None or clock.state not in {RUNNING, PASSED} or clock.fulfilled_at is not None:
        return ()
    if clock.state == PASSED:
        return ((clock.metric, OVERDUE if due <= fold.settled_to else AT_RISK, due, due),)
    warn_at = clock.warn_at(rules.warn_share) or due
    return ((clock.metric, AT_RISK if warn_at <= fold.settled_to else ON_TIME, due, warn_at),)

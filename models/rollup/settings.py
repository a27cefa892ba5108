"""What one Rollup publishes, local to its worker."""

from __future__ import annotations

from dataclasses import dataclass

from models.panes.tiers import DAY
from models.panes.windows import CLOSING, LIVE

DIMENSIONS = ("queue", "channel", "priority", "team")
DEFAULT_GROUPING_SETS: tuple[tuple[str, ...], ...] = (
    (),
    ("queue",),
    ("channel",),
    ("priority",),
    ("queue", "channel"),
)


@dataclass(frozen=True, kw_only=True)
class RollupSettings:
    """Groups, windows and how much work one publish may do.

    Budgets count (group, window) pairs, so that one publish stays a fraction of a second however far
    behind it is; the rest follows in the next ones. ``horizon`` is in ms.
    """

    partitions: int
    grouping_sets: tuple[tuple[str, ...], ...] = DEFAULT_GROUPING_SETS
    zone: str = "UTC"
    live: tuple[str, ...] = LIVE
    closing: tuple[str, ...] = CLOSING
    span: bool = False
    horizon: int = 35 * DAY
    live_budget: int = 150
    catching_up_budget: int = 40
    closing_budget: int = 1500
    revision_budget: int = 400
    span_every: int = 10

"""One KPI: everything that anything else needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.catalogue.formulas import Formula

Unit = Literal["contacts", "cases", "events", "seconds", "ratio", "score", "responses"]
Direction = Literal["higher", "lower", "neutral"]

FLOW_WINDOWS = ("5m", "15m", "30m", "60m", "today", "7d", "28d", "day", "span")
"""Windows of flows and speeds."""
SPEED_WINDOWS = (*FLOW_WINDOWS, "hour")
"""The same with a row for every hour: for what a day is steered by. Each hourly KPI costs rows: 24 a day and group."""
COHORT_WINDOWS = ("today", "7d", "28d", "day", "span")
"""Windows of what is dated at the opening and settles later."""
SLOW_WINDOWS = ("7d", "28d", "day", "span")
"""Windows of what is rare (surveys) or settles after days (first contact resolution)."""
BALANCE_WINDOWS = ("now", "day", "span")
"""A level now, and a balance at the end of each closed window."""
HOURLY_BALANCE_WINDOWS = (*BALANCE_WINDOWS, "hour")
LEVEL_WINDOWS = ("now",)

OWN_CELL = "as of the event"
OPENING_CELL = "of the opening"
CURRENT_CELL = "current"


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """An entry of the catalogue.

    ``per_route``: the formula runs once per survey route, over the parts ``name:route``.
    ``metric`` and ``labels``: name (without the prefix ``deskpulse_``) and fixed labels of the gauge.
    """

    id: str
    meaning: str
    family: str
    unit: Unit
    direction: Direction
    formula: Formula
    windows: tuple[str, ...]
    dimensions: str = OWN_CELL
    metric: str
    labels: tuple[tuple[str, str], ...] = ()
    per_route: bool = False
    version: int = 1

"""What a dashboard says, apart from how Grafana writes it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from models.catalogue.entry import Direction


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A value to reach, in the unit of the query, and from which side."""

    value: float
    better: Direction


@dataclass(frozen=True, kw_only=True)
class Query:
    """PromQL, with Grafana's variables in it, and the name of its series."""

    expression: str
    legend: str
    goal: Goal | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel. ``unit`` is Grafana's. ``texts`` are shown in place of values.

    ``stat`` shows the present value, and nothing when there is none now; ``timeseries`` the course.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 8
    texts: tuple[tuple[str, str, str], ...] = ()
    """Value, text, colour."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """``name`` is that of its file; with the product's in front it is the stable uid."""

    name: str
    title: str
    description: str
    rows: tuple[Row, ...]

    def panels(self) -> Iterator[Panel]:
        """All panels, in order."""
        for row in self.rows:
            yield from row.panels

"""Formulas over one merged pane. Each answers ``None`` where the pane has no data for it.

A merged pane maps a name to an integer or, for keys with a part after the last colon, to the parts
(`models.panes.pane.nested`). Durations go in as milliseconds and come out as seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from models.catalogue.values import KpiValue
from models.panes.histogram import Ordered, count
from models.panes.pane import Nested, split

NOTHING: Final[dict[str, int]] = {}
PER_SECOND: Final = 1000


class Formula(Protocol):
    """A pure function of a merged pane and, for ages, of the log's clock (ms)."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that are read, as they stand in the formula."""

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        """The value, or ``None`` without data."""

    def describe(self) -> str:
        """The formula in words of fact keys, for the reference."""


def number(pane: Nested, name: str) -> int:
    """A counter: ``name`` or ``name:part`` (part as in the fact keys); 0 where absent."""
    found = pane.get(name)
    if found is None:
        head, part = split(name)
        return parts(pane, head).get(part, 0) if part else 0
    return found if isinstance(found, int) else 0


def parts(pane: Nested, name: str) -> dict[str, int]:
    """The parts of a name; nothing where absent."""
    found = pane.get(name)
    return found if isinstance(found, dict) else NOTHING


@dataclass(frozen=True)
class Count:
    """Sum of counters less other counters. Data are there when any of them is."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.plus, *self.minus)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        total, found = 0, False
        for name in self.plus:
            term = number(pane, name)
            total, found = total + term, found or term != 0
        for name in self.minus:
            term = number(pane, name)
            total, found = total - term, found or term != 0
        return KpiValue(total) if found else None

    def describe(self) -> str:
        return " + ".join(self.plus) + "".join(f" - {name}" for name in self.minus)


@dataclass(frozen=True)
class Ratio:
    """Share of two sums of counters; null when the denominator is 0. ``excluded`` is shown, never used."""

    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    less_numerator: tuple[str, ...] = ()
    less_denominator: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    less_excluded: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        read = (
            *self.numerator,
            *self.less_numerator,
            *self.denominator,
            *self.less_denominator,
            *self.excluded,
            *self.less_excluded,
        )
        return tuple(dict.fromkeys(read))

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        top = _difference(pane, self.numerator, self.less_numerator)
        bottom = _difference(pane, self.denominator, self.less_denominator)
        if not top and not bottom:
            return None
        return KpiValue(
            top / bottom if bottom else None,
            numerator=top,
            denominator=bottom,
            excluded=_difference(pane, self.excluded, self.less_excluded) if self.excluded else None,
        )

    def describe(self) -> str:
        top = Count(self.numerator, self.less_numerator).describe()
        bottom = Count(self.denominator, self.less_denominator).describe()
        shown = f"; shown as excluded: {Count(self.excluded, self.less_excluded).describe()}" if self.excluded else ""
        return f"({top}) / ({bottom}){shown}"


def _difference(pane: Nested, plus: tuple[str, ...], minus: tuple[str, ...]) -> int:
    total = 0
    for name in plus:
        total += number(pane, name)
    for name in minus:
        total -= number(pane, name)
    return total


@dataclass(frozen=True)
class Percentile:
    """Quantile of a histogram of durations, within 1 % of ``quantile_cont``."""

    name: str
    q: float

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        buckets = parts(pane, self.name)
        return self.of(Ordered(buckets)) if buckets else None

    def of(self, ordered: Ordered) -> KpiValue:
        """The value of a histogram that has durations."""
        return KpiValue(ordered.quantile(self.q) / PER_SECOND, n=ordered.count)

    def describe(self) -> str:
        return f"quantile_cont({self.name}, {self.q})"


@dataclass(frozen=True)
class Mean:
    """Sum of durations (ms) over their number; the number is that of a counter or of a histogram."""

    total: str
    number_of: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.total, self.number_of)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        found = pane.get(self.number_of)
        n = count(found) if isinstance(found, dict) else found or 0
        if n <= 0:
            return None
        seconds = number(pane, self.total) / PER_SECOND
        return KpiValue(seconds / n, numerator=seconds, denominator=n, n=n)

    def describe(self) -> str:
        return f"{self.total} / number of {self.number_of}"


@dataclass(frozen=True)
class Level:
    """Sum of some parts of a level; of a balance too, which stands in the pane as at the window's end."""

    name: str
    of: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        found = parts(pane, self.name) if self.of else NOTHING
        total = sum(found.get(part, 0) for part in self.of) if self.of else number(pane, self.name)
        return KpiValue(total) if total else None

    def describe(self) -> str:
        return " + ".join(f"{self.name}:{part}" for part in self.of) if self.of else self.name


@dataclass(frozen=True)
class Age:
    """Seconds from the earliest of some instants (ms) to the log's clock."""

    since: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.since,)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        since = pane.get(self.since)
        if not isinstance(since, int):
            return None
        return KpiValue(max(0, clock - since) / PER_SECOND, since=since)

    def describe(self) -> str:
        return f"clock - {self.since}"

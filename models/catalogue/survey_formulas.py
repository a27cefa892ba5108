"""Formulas of surveys: small samples, so each has an interval, and hides or marks itself when n is small."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

from models.catalogue.formulas import number
from models.catalogue.values import KpiValue
from models.panes.pane import Nested

Z_95: Final = 1.96
HIDDEN_UNDER: Final = 10
SMALL_UNDER: Final = 30
SCORE_SCALE: Final = 1000
"""Sums of scores are kept x 1000 in panes, so that they stay integers."""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; n > 0. (E. B. Wilson, 1927.)"""
    share = hits / n
    spread = Z_95 * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n * n))
    centre = share + Z_95**2 / (2 * n)
    scale = 1 + Z_95**2 / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@dataclass(frozen=True)
class WilsonShare:
    """Share of responses with its Wilson 95 % interval."""

    hits: str
    responses: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hits, self.responses)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        n = number(pane, self.responses)
        if n <= 0:
            return None
        hits = number(pane, self.hits)
        if n < HIDDEN_UNDER:
            return KpiValue(None, numerator=hits, denominator=n, n=n, small_n=True)
        low, high = wilson(hits, n)
        return KpiValue(
            hits / n,
            numerator=hits,
            denominator=n,
            n=n,
            low=low,
            high=high,
            small_n=n < SMALL_UNDER,
        )

    def describe(self) -> str:
        return f"{self.hits} / {self.responses}, Wilson 95 %"


@dataclass(frozen=True)
class NetPromoter:
    """100 (promoters - detractors) / responses, with its margin 1.96 * 100 * sqrt((p + d - (p - d)^2) / n)."""

    promoters: str
    detractors: str
    responses: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.promoters, self.detractors, self.responses)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        n = number(pane, self.responses)
        if n <= 0:
            return None
        promoters, detractors = (
            number(pane, self.promoters),
            number(pane, self.detractors),
        )
        net = promoters - detractors
        if n < HIDDEN_UNDER:
            return KpiValue(None, numerator=net, denominator=n, n=n, small_n=True)
        score = 100 * net / n
        margin = Z_95 * 100 * sqrt(max(0.0, ((promoters + detractors) / n - (net / n) ** 2) / n))
        return KpiValue(
            score,
            numerator=net,
            denominator=n,
            n=n,
            low=score - margin,
            high=score + margin,
            small_n=n < SMALL_UNDER,
        )

    def describe(self) -> str:
        return f"100 * ({self.promoters} - {self.detractors}) / {self.responses}, margin 95 %"


@dataclass(frozen=True)
class MeanScore:
    """Mean of scores kept as a sum x 1000."""

    total: str
    responses: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.total, self.responses)

    def evaluate(self, pane: Nested, clock: int = 0) -> KpiValue | None:
        n = number(pane, self.responses)
        if n <= 0:
            return None
        total = number(pane, self.total) / SCORE_SCALE
        value = total / n if n >= HIDDEN_UNDER else None
        return KpiValue(value, numerator=total, denominator=n, n=n, small_n=n < SMALL_UNDER)

    def describe(self) -> str:
        return f"{self.total} / {SCORE_SCALE} / {self.responses}"

"""SLA: targets met and missed, dated at the verdict, and what is overdue or at risk now."""

from models.catalogue.entry import (
    CURRENT_CELL,
    FLOW_WINDOWS,
    LEVEL_WINDOWS,
    SPEED_WINDOWS,
    Direction,
    Kpi,
)
from models.catalogue.formulas import Count, Level, Ratio

METRICS = {"first_reply": "first reply", "resolution": "resolution"}
_LEVELS = {
    "overdue": "Open cases past their due time for",
    "at_risk": "Open cases near their due time for",
    "running": "Open cases with a clock running for",
}


def _attainment(metric: str, words: str) -> Kpi:
    met, breached = f"sla_met:{metric}", f"sla_breached:{metric}"
    return Kpi(
        id=f"sla_attainment_{metric}",
        meaning=f"Share of due verdicts on {words} that were met",
        family="sla",
        unit="ratio",
        direction="higher",
        formula=Ratio((met,), (met, breached)),
        windows=SPEED_WINDOWS,
        metric="sla_attainment_ratio",
        labels=(("metric", metric),),
    )


def _verdicts(kind: str, better: Direction, metric: str, words: str) -> Kpi:
    return Kpi(
        id=f"sla_{kind}_{metric}",
        meaning=f"Targets of {words} that were {kind}",
        family="sla",
        unit="cases",
        direction=better,
        formula=Count((f"sla_{kind}:{metric}",)),
        windows=FLOW_WINDOWS,
        metric=f"sla_{kind}_cases",
        labels=(("metric", metric),),
    )


def _level(kind: str, metric: str, words: str) -> Kpi:
    return Kpi(
        id=f"sla_{kind}_{metric}",
        meaning=f"{_LEVELS[kind]} {words}",
        family="sla",
        unit="cases",
        direction="neutral" if kind == "running" else "lower",
        formula=Level(f"sla_{kind}", (metric,)),
        windows=LEVEL_WINDOWS,
        dimensions=CURRENT_CELL,
        metric=f"sla_{kind}_cases",
        labels=(("metric", metric),),
    )


KPIS: tuple[Kpi, ...] = (
    *(_attainment(metric, words) for metric, words in METRICS.items()),
    *(_verdicts("met", "higher", metric, words) for metric, words in METRICS.items()),
    *(_verdicts("breached", "lower", metric, words) for metric, words in METRICS.items()),
    *(_level(kind, metric, words) for kind in _LEVELS for metric, words in METRICS.items()),
)

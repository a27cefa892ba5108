"""Escalations and transfers: work that one representative could not settle alone."""

from models.catalogue.entry import (
    COHORT_WINDOWS,
    FLOW_WINDOWS,
    OPENING_CELL,
    OWN_CELL,
    SPEED_WINDOWS,
    Kpi,
    Unit,
)
from models.catalogue.formulas import Count, Formula, Ratio


def _lower(
    name: str,
    meaning: str,
    unit: Unit,
    formula: Formula,
    metric: str,
    windows: tuple[str, ...],
    dimensions: str = OWN_CELL,
    **labels: str,
) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="escalations",
        unit=unit,
        direction="lower",
        formula=formula,
        windows=windows,
        dimensions=dimensions,
        metric=metric,
        labels=tuple(labels.items()),
    )


KPIS: tuple[Kpi, ...] = (
    _lower(
        "escalated",
        "Escalations",
        "events",
        Count(("escalated",)),
        "escalated_events",
        SPEED_WINDOWS,
    ),
    _lower(
        "escalation_rate",
        "Share of opened cases that were escalated",
        "ratio",
        Ratio(("cohort_escalated",), ("opened",)),
        "escalation_ratio",
        COHORT_WINDOWS,
        OPENING_CELL,
        of="opened",
    ),
    _lower(
        "escalation_rate_resolved",
        "Share of resolutions that came after an escalation",
        "ratio",
        Ratio(("resolved_escalated",), ("resolved",)),
        "escalation_ratio",
        FLOW_WINDOWS,
        of="resolved",
    ),
    _lower(
        "transfers",
        "Transfers of contacts",
        "events",
        Count(("transferred",)),
        "transferred_events",
        SPEED_WINDOWS,
    ),
    _lower(
        "transfers_per_answered",
        "Transfers per answered contact",
        "ratio",
        Ratio(("transferred",), ("answered",)),
        "transfers_per_answered_ratio",
        FLOW_WINDOWS,
    ),
)

"""Backlog: how many cases are open, in which status, how old, and who waits longest."""

from models.catalogue.entry import BALANCE_WINDOWS, CURRENT_CELL, HOURLY_BALANCE_WINDOWS, LEVEL_WINDOWS, Kpi
from models.catalogue.formulas import Age, Formula, Level

STATUSES = ("open", "pending_customer", "pending_third_party", "on_hold", "resolved")
OPEN_STATUSES = STATUSES[:-1]
AGES = {
    "lt4h": "under 4 hours",
    "lt1d": "4 hours to 1 day",
    "lt3d": "1 to 3 days",
    "lt7d": "3 to 7 days",
    "older": "7 days or more",
}


def _cases(
    name: str,
    meaning: str,
    formula: Formula,
    windows: tuple[str, ...],
    metric: str,
    **labels: str,
) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="backlog",
        unit="cases",
        direction="lower",
        formula=formula,
        windows=windows,
        dimensions=CURRENT_CELL,
        metric=metric,
        labels=tuple(labels.items()),
    )


def _oldest(name: str, meaning: str, since: str) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="backlog",
        unit="seconds",
        direction="lower",
        formula=Age(since),
        windows=LEVEL_WINDOWS,
        dimensions=CURRENT_CELL,
        metric=f"{name}_seconds",
    )


KPIS: tuple[Kpi, ...] = (
    *(
        _cases(
            f"backlog_{status}",
            f"Cases in status {status}",
            Level("backlog", (status,)),
            BALANCE_WINDOWS,
            "backlog_cases",
            status=status,
        )
        for status in STATUSES
    ),
    _cases(
        "backlog_unresolved",
        "Cases neither resolved nor closed",
        Level("backlog", OPEN_STATUSES),
        HOURLY_BALANCE_WINDOWS,
        "backlog_unresolved_cases",
    ),
    _cases(
        "backlog_not_closed",
        "Cases not closed, resolved ones included",
        Level("backlog", STATUSES),
        BALANCE_WINDOWS,
        "backlog_not_closed_cases",
    ),
    *(
        _cases(
            f"backlog_age_{age}",
            f"Unresolved cases aged {words}",
            Level("age", (age,)),
            LEVEL_WINDOWS,
            "backlog_age_cases",
            age=age,
        )
        for age, words in AGES.items()
    ),
    _cases(
        "awaiting_response",
        "Cases whose customer waits for an answer",
        Level("awaiting", ()),
        LEVEL_WINDOWS,
        "awaiting_response_cases",
    ),
    _oldest(
        "oldest_waiting",
        "How long the customer who waits longest for an answer has waited",
        "oldest_awaiting_at",
    ),
    _oldest("oldest_open", "Age of the oldest unresolved case", "oldest_open_at"),
)

"""Response and resolution: how fast cases are answered and settled, and whether that lasts."""

from models.catalogue.entry import COHORT_WINDOWS, OPENING_CELL, SPEED_WINDOWS, Kpi
from models.catalogue.formulas import Percentile, Ratio

_WORDS = {50: "median", 90: "90th percentile"}


def _percentile(name: str, meaning: str, percent: int) -> Kpi:
    return Kpi(
        id=f"{name}_p{percent}",
        meaning=f"{meaning}, {_WORDS[percent]}",
        family="response",
        unit="seconds",
        direction="lower",
        formula=Percentile(name, percent / 100),
        windows=SPEED_WINDOWS,
        metric=f"{name}_seconds",
        labels=(("percentile", f"p{percent}"),),
    )


_REPLY = "Time from the opening of a case to its first human answer"
_RESOLUTION = "Time from the opening of a case to its first resolution"

KPIS: tuple[Kpi, ...] = (
    _percentile("first_reply", _REPLY, 50),
    _percentile("first_reply", _REPLY, 90),
    _percentile("first_resolution", _RESOLUTION, 50),
    _percentile("first_resolution", _RESOLUTION, 90),
    Kpi(
        id="reopen_rate",
        meaning="Share of resolved cases that were reopened within 7 days of their first resolution",
        family="response",
        unit="ratio",
        direction="lower",
        formula=Ratio(("cohort_reopened",), ("cohort_resolved",)),
        windows=COHORT_WINDOWS,
        dimensions=OPENING_CELL,
        metric="reopen_ratio",
    ),
)

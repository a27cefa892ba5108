"""Volume: what came in, what was settled."""

from models.catalogue.entry import FLOW_WINDOWS, SPEED_WINDOWS, Direction, Kpi, Unit
from models.catalogue.formulas import Count

_HOURLY = ("offered", "opened", "resolved", "reopened", "net_flow")


def _count(
    name: str,
    meaning: str,
    plus: tuple[str, ...],
    minus: tuple[str, ...] = (),
    unit: Unit = "cases",
    better: Direction = "neutral",
) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="volume",
        unit=unit,
        direction=better,
        formula=Count(plus, minus),
        windows=SPEED_WINDOWS if name in _HOURLY else FLOW_WINDOWS,
        metric=f"{name}_{unit}",
    )


KPIS: tuple[Kpi, ...] = (
    _count("offered", "Contacts that were opened", ("offered",), unit="contacts"),
    _count("opened", "Cases that were opened", ("opened",)),
    _count("resolved", "Resolutions of cases", ("resolved",), better="higher"),
    _count("reopened", "Reopenings of resolved cases", ("reopened",), better="lower"),
    _count("closed", "Cases that were closed", ("closed",)),
    _count(
        "net_flow",
        "By how many cases the backlog grew: opened and reopened less resolved",
        ("opened", "reopened"),
        ("resolved",),
        better="lower",
    ),
    _count(
        "no_customer",
        "Offered contacts whose case names no customer",
        ("no_customer",),
        unit="contacts",
        better="lower",
    ),
    _count(
        "clamped",
        "Durations that were negative and counted as zero",
        ("clamped",),
        unit="events",
        better="lower",
    ),
)

"""First contact resolution, repeat based, and the rate of repeated contacts."""

from models.catalogue.entry import OPENING_CELL, SLOW_WINDOWS, Direction, Kpi
from models.catalogue.formulas import Count, Ratio


def _share(
    name: str,
    meaning: str,
    formula: Ratio,
    better: Direction,
    metric: str,
    **labels: str,
) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="first contact resolution",
        unit="ratio",
        direction=better,
        formula=formula,
        windows=SLOW_WINDOWS,
        dimensions=OPENING_CELL,
        metric=metric,
        labels=tuple(labels.items()),
    )


_RESOLVED = "with no other contact of the same customer for the same reason within 7 days"

KPIS: tuple[Kpi, ...] = (
    _share(
        "fcr",
        f"Share of eligible contacts {_RESOLVED}, as far as known now",
        Ratio(
            ("fcr_resolved",),
            ("fcr_eligible",),
            excluded=("fcr_gross",),
            less_excluded=("fcr_eligible",),
        ),
        "higher",
        "first_contact_resolution_ratio",
        variant="provisional",
    ),
    _share(
        "fcr_final",
        f"Share of eligible contacts {_RESOLVED}, where the 7 days are over",
        Ratio(("fcr_final_resolved",), ("fcr_final_eligible",)),
        "higher",
        "first_contact_resolution_ratio",
        variant="final",
    ),
    _share(
        "fcr_gross",
        f"Share of all contacts {_RESOLVED}, abandoned ones included",
        Ratio(("fcr_gross_resolved",), ("fcr_gross",)),
        "higher",
        "first_contact_resolution_ratio",
        variant="gross",
    ),
    _share(
        "repeat_contact_rate",
        "Share of contacts that another contact of the same customer for the same reason followed within 7 days",
        Ratio(("customer_contacts_repeated",), ("customer_contacts",)),
        "lower",
        "repeat_contact_ratio",
    ),
    Kpi(
        id="fcr_coarse",
        meaning="Contacts without a reason, matched by customer only",
        family="first contact resolution",
        unit="contacts",
        direction="lower",
        formula=Count(("fcr_coarse",)),
        windows=SLOW_WINDOWS,
        dimensions=OPENING_CELL,
        metric="first_contact_resolution_coarse_contacts",
    ),
)

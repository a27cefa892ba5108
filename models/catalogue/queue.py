"""Queue: contacts of the queued channels, until they are answered or leave.

The four service levels are the textbook variants, from the same raw counters: an abandonment within the
target is left out (ignore), a miss (negative), a hit (positive), or only answered contacts count.
"""

from models.catalogue.entry import COHORT_WINDOWS, FLOW_WINDOWS, SPEED_WINDOWS, Kpi, Unit
from models.catalogue.formulas import Count, Formula, Mean, Percentile, Ratio

_HOURLY = ("speed_of_answer_p50", "speed_of_answer_p90", "abandonment_rate", "handle_time_p50", "handle_time_p90")


def _lower(name: str, meaning: str, unit: Unit, formula: Formula, metric: str, **labels: str) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="queue",
        unit=unit,
        direction="lower",
        formula=formula,
        windows=SPEED_WINDOWS if name in _HOURLY else FLOW_WINDOWS,
        metric=metric,
        labels=tuple(labels.items()),
    )


def _service_level(
    variant: str,
    meaning: str,
    formula: Ratio,
    windows: tuple[str, ...] = COHORT_WINDOWS,
) -> Kpi:
    return Kpi(
        id="service_level" if variant == "ignore" else f"service_level_{variant}",
        meaning=f"Share of contacts answered within the target; {meaning}",
        family="queue",
        unit="ratio",
        direction="higher",
        formula=formula,
        windows=windows,
        metric="service_level_ratio",
        labels=(("variant", variant),),
    )


_WITHIN = ("queue_answered_within",)
_LEFT_EARLY = ("queue_abandoned_within",)
_ABANDONED = ("queue_abandoned", "queue_abandoned_short")

KPIS: tuple[Kpi, ...] = (
    _service_level(
        "ignore",
        "abandonments before the target are left out",
        Ratio(_WITHIN, (*_WITHIN, "queue_reached"), excluded=_LEFT_EARLY),
        SPEED_WINDOWS,
    ),
    _service_level(
        "negative",
        "every abandonment is a miss",
        Ratio(_WITHIN, ("queue_answered", *_ABANDONED)),
    ),
    _service_level(
        "positive",
        "an abandonment before the target is a hit",
        Ratio((*_WITHIN, *_LEFT_EARLY), ("queue_answered", *_ABANDONED)),
    ),
    _service_level(
        "answered_only",
        "only answered contacts count",
        Ratio(_WITHIN, ("queue_answered",)),
    ),
    _lower(
        "speed_of_answer_p50",
        "Wait of answered contacts, median",
        "seconds",
        Percentile("speed_of_answer", 0.5),
        "speed_of_answer_seconds",
        percentile="p50",
    ),
    _lower(
        "speed_of_answer_p90",
        "Wait of answered contacts, 90th percentile",
        "seconds",
        Percentile("speed_of_answer", 0.9),
        "speed_of_answer_seconds",
        percentile="p90",
    ),
    _lower(
        "speed_of_answer_mean",
        "Wait of answered contacts, mean",
        "seconds",
        Mean("speed_of_answer_ms", "queue_answered"),
        "speed_of_answer_mean_seconds",
    ),
    _lower(
        "abandonment_rate",
        "Share of contacts that left the queue unanswered; short abandonments are left out",
        "ratio",
        Ratio(
            ("queue_abandoned",),
            ("queue_answered", "queue_abandoned"),
            excluded=("queue_abandoned_short",),
        ),
        "abandonment_ratio",
    ),
    _lower(
        "queue_abandoned",
        "Contacts that left the queue unanswered, short ones left out",
        "contacts",
        Count(("queue_abandoned",)),
        "abandoned_contacts",
    ),
    _lower(
        "handle_time_p50",
        "Talk, hold and after-contact work, median",
        "seconds",
        Percentile("handle_time", 0.5),
        "handle_time_seconds",
        percentile="p50",
    ),
    _lower(
        "handle_time_p90",
        "Talk, hold and after-contact work, 90th percentile",
        "seconds",
        Percentile("handle_time", 0.9),
        "handle_time_seconds",
        percentile="p90",
    ),
    _lower(
        "handle_time_mean",
        "Talk, hold and after-contact work, mean",
        "seconds",
        Mean("handle_time_ms", "handle_time"),
        "handle_time_mean_seconds",
    ),
)

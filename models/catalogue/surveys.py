"""Surveys: satisfaction, loyalty, effort and response rate, per route and never blended."""

from models.catalogue.entry import SLOW_WINDOWS, Kpi, Unit
from models.catalogue.formulas import Count, Formula, Ratio
from models.catalogue.survey_formulas import MeanScore, NetPromoter, WilsonShare

KINDS = ("csat", "nps", "ces")


def _survey(
    name: str,
    meaning: str,
    unit: Unit,
    formula: Formula,
    metric: str,
    *labels: tuple[str, str],
) -> Kpi:
    return Kpi(
        id=name,
        meaning=meaning,
        family="surveys",
        unit=unit,
        direction="higher",
        formula=formula,
        windows=SLOW_WINDOWS,
        metric=metric,
        labels=labels,
        per_route=True,
    )


def _response_rate(kind: str) -> Kpi:
    return _survey(
        f"response_rate_{kind}",
        f"Share of {kind} surveys sent that were answered",
        "ratio",
        Ratio((f"survey_returned:{kind}",), (f"survey_sent:{kind}",)),
        "survey_response_ratio",
        ("kind", kind),
    )


def _responses(kind: str) -> Kpi:
    return _survey(
        f"responses_{kind}",
        f"Answered {kind} surveys",
        "responses",
        Count((f"{kind}_responses",)),
        "survey_responses",
        ("kind", kind),
    )


KPIS: tuple[Kpi, ...] = (
    _survey(
        "csat",
        "Share of answers 4 or 5 of 5",
        "ratio",
        WilsonShare("csat_top2", "csat_responses"),
        "csat_ratio",
    ),
    _survey(
        "nps",
        "Net promoter score: 9-10 less 0-6, per 100 answers",
        "score",
        NetPromoter("nps_promoters", "nps_detractors", "nps_responses"),
        "nps_score",
    ),
    _survey(
        "ces_mean",
        "Mean ease of 1 to 7",
        "score",
        MeanScore("ces_sum", "ces_responses"),
        "ces_mean_score",
    ),
    _survey(
        "ces_low_effort",
        "Share of answers 5 to 7 of 7",
        "ratio",
        WilsonShare("ces_low_effort", "ces_responses"),
        "ces_low_effort_ratio",
    ),
    *(_response_rate(kind) for kind in KINDS),
    *(_responses(kind) for kind in KINDS),
)

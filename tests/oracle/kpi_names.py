"""KPI id -> formula, written from the KPI definitions: SQL expressions over the sums of one window and group.

A name in double quotes is the sum of that fact (0 where there is none); ``open_cases:S`` is the balance of a
status at the window's end. Hourly rows are a choice of the catalogue (they cost rows): those that are published are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

SPEED = frozenset({"5m", "15m", "30m", "60m", "today", "7d", "28d", "hour", "day", "span"})
COHORT = frozenset({"today", "7d", "28d", "day", "span"})
SLOW = frozenset({"7d", "28d", "day", "span"})
BALANCE = frozenset({"now", "hour", "day", "span"})
NOW = frozenset({"now"})


@dataclass(frozen=True, slots=True)
class Count:
    """A sum."""

    value: str
    windows: frozenset[str] = SPEED


@dataclass(frozen=True, slots=True)
class Ratio:
    """``numerator / denominator``; null where the denominator is 0. ``excluded`` stands beside it."""

    numerator: str
    denominator: str
    windows: frozenset[str] = SPEED
    excluded: str = "NULL"


@dataclass(frozen=True, slots=True)
class Percentile:
    """``quantile_cont`` over raw durations, in seconds."""

    name: str
    quantile: float
    windows: frozenset[str] = SPEED


@dataclass(frozen=True, slots=True)
class Level:
    """What stands at an instant: a sum of balances or of levels."""

    names: tuple[str, ...]
    windows: frozenset[str] = NOW


@dataclass(frozen=True, slots=True)
class Age:
    """The earliest of some instants (ms); published as ``since`` beside the seconds that have passed."""

    name: str
    windows: frozenset[str] = NOW


@dataclass(frozen=True, slots=True)
class Survey:
    """Per route. ``shape``: share (Wilson), nps, mean; shown from 10 responses, marked under 30."""

    shape: str
    numerator: str
    responses: str
    windows: frozenset[str] = SLOW


@dataclass(frozen=True, slots=True)
class RouteCount:
    """A sum per route."""

    value: str
    windows: frozenset[str] = SLOW


@dataclass(frozen=True, slots=True)
class RouteRatio:
    """A ratio per route."""

    numerator: str
    denominator: str
    windows: frozenset[str] = SLOW


Formula = Count | Ratio | Percentile | Level | Age | Survey | RouteCount | RouteRatio

_STATUSES = ("open", "pending_customer", "pending_third_party", "on_hold", "resolved")
_LEFT = '"queue_abandoned" + "queue_abandoned_short"'
_METRICS = ("first_reply", "resolution")

FORMULAS: dict[str, Formula] = {
    "offered": Count('"offered"'),
    "opened": Count('"opened"'),
    "resolved": Count('"resolved"'),
    "reopened": Count('"reopened"'),
    "closed": Count('"closed"'),
    "net_flow": Count('"opened" + "reopened" - "resolved"'),
    "no_customer": Count('"no_customer"'),
    "clamped": Count('"clamped"'),
    **{f"backlog_{status}": Level((f"open_cases:{status}",), BALANCE) for status in _STATUSES},
    "backlog_unresolved": Level(tuple(f"open_cases:{status}" for status in _STATUSES[:-1]), BALANCE),
    "backlog_not_closed": Level(tuple(f"open_cases:{status}" for status in _STATUSES), BALANCE),
    **{f"backlog_age_{age}": Level((f"age:{age}",)) for age in ("lt4h", "lt1d", "lt3d", "lt7d", "older")},
    "awaiting_response": Level(("awaiting",)),
    "oldest_waiting": Age("oldest_awaiting_at"),
    "oldest_open": Age("oldest_open_at"),
    "service_level": Ratio('"queue_answered_within"', '"queue_answered_within" + "queue_reached"', excluded='"queue_abandoned_within"'),
    "service_level_negative": Ratio('"queue_answered_within"', f'"queue_answered" + {_LEFT}', COHORT),
    "service_level_positive": Ratio('"queue_answered_within" + "queue_abandoned_within"', f'"queue_answered" + {_LEFT}', COHORT),
    "service_level_answered_only": Ratio('"queue_answered_within"', '"queue_answered"', COHORT),
    "speed_of_answer_p50": Percentile("speed_of_answer", 0.5),
    "speed_of_answer_p90": Percentile("speed_of_answer", 0.9),
    "speed_of_answer_mean": Ratio('"speed_of_answer_ms" / 1000', '"queue_answered"'),
    "abandonment_rate": Ratio('"queue_abandoned"', '"queue_answered" + "queue_abandoned"', excluded='"queue_abandoned_short"'),
    "queue_abandoned": Count('"queue_abandoned"'),
    "handle_time_p50": Percentile("handle_time", 0.5),
    "handle_time_p90": Percentile("handle_time", 0.9),
    "handle_time_mean": Ratio('"handle_time_ms" / 1000', '"handle_time"'),
    "first_reply_p50": Percentile("first_reply", 0.5),
    "first_reply_p90": Percentile("first_reply", 0.9),
    "first_resolution_p50": Percentile("first_resolution", 0.5),
    "first_resolution_p90": Percentile("first_resolution", 0.9),
    "reopen_rate": Ratio('"cohort_reopened"', '"cohort_resolved"', COHORT),
    "fcr": Ratio('"fcr_resolved"', '"fcr_eligible"', SLOW, '"fcr_gross" - "fcr_eligible"'),
    "fcr_final": Ratio('"fcr_final_resolved"', '"fcr_final_eligible"', SLOW),
    "fcr_gross": Ratio('"fcr_gross_resolved"', '"fcr_gross"', SLOW),
    "repeat_contact_rate": Ratio('"customer_contacts_repeated"', '"customer_contacts"', SLOW),
    "fcr_coarse": Count('"fcr_coarse"', SLOW),
    "escalated": Count('"escalated"'),
    "escalation_rate": Ratio('"cohort_escalated"', '"opened"', COHORT),
    "escalation_rate_resolved": Ratio('"resolved_escalated"', '"resolved"'),
    "transfers": Count('"transferred"'),
    "transfers_per_answered": Ratio('"transferred"', '"answered"'),
    **{f"sla_attainment_{metric}": Ratio(f'"sla_met:{metric}"', f'"sla_met:{metric}" + "sla_breached:{metric}"') for metric in _METRICS},
    **{f"sla_met_{metric}": Count(f'"sla_met:{metric}"') for metric in _METRICS},
    **{f"sla_breached_{metric}": Count(f'"sla_breached:{metric}"') for metric in _METRICS},
    **{f"sla_{kind}_{metric}": Level((f"sla_{kind}:{metric}",)) for kind in ("overdue", "at_risk", "running") for metric in _METRICS},
    "csat": Survey("share", '"csat_top2"', '"csat_responses"'),
    "nps": Survey("nps", '"nps_promoters" - "nps_detractors"', '"nps_responses"'),
    "ces_mean": Survey("mean", '"ces_sum" / 1000', '"ces_responses"'),
    "ces_low_effort": Survey("share", '"ces_low_effort"', '"ces_responses"'),
    **{f"response_rate_{kind}": RouteRatio(f'"survey_returned_{kind}"', f'"survey_sent_{kind}"') for kind in ("csat", "nps", "ces")},
    **{f"responses_{kind}": RouteCount(f'"{kind}_responses"') for kind in ("csat", "nps", "ces")},
}

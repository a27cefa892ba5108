"""Which dashboard shows which families of KPIs. A family that none names is shown by the overview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.catalogue.entry import Kpi
from models.catalogue.formulas import Mean, Percentile
from models.catalogue.registry import CATALOGUE
from stream_app.dashboards.content import Dashboard, Row
from stream_app.dashboards.kpi_panels import Goals, headline, kpi_panels, words
from stream_app.dashboards.pipeline_panels import pipeline_rows, strip

HEADLINES = (
    "service_level",
    "awaiting_response",
    "oldest_waiting",
    "backlog_unresolved",
    "first_reply_p90",
    "sla_attainment_first_reply",
    "sla_overdue_first_reply",
    "fcr",
)
"""The overview's present values."""
BESIDE_SPEED = ("fcr", "repeat_contact_rate", "reopen_rate", "oldest_waiting", "sla_overdue_first_reply")
"""Quality, and who still waits: a dashboard with speed has all of these too, or it would reward haste."""
NO_GOALS: Final[Goals] = {}


@dataclass(frozen=True, kw_only=True)
class _Plan:
    name: str
    title: str
    description: str
    families: tuple[str, ...]


_OVERVIEW = _Plan(
    name="overview",
    title="Deskpulse: overview",
    description="Where the support organisation stands: volume, backlog, response, first contact resolution, escalations.",
    families=("volume", "backlog", "response", "first contact resolution", "escalations"),
)
_PLANS = (
    _OVERVIEW,
    _Plan(name="queue", title="Deskpulse: queue", description="Calls and chats: waiting, leaving, handling.", families=("queue",)),
    _Plan(name="sla", title="Deskpulse: SLA", description="Service targets met, missed and at risk.", families=("sla", "response")),
    _Plan(name="surveys", title="Deskpulse: surveys", description="What customers say, per survey route.", families=("surveys",)),
)


def dashboards(goals: Goals = NO_GOALS, catalogue: Sequence[Kpi] = CATALOGUE) -> tuple[Dashboard, ...]:
    """All dashboards. ``goals``: per KPI id the value to reach, which is drawn. Raises ``ValueError`` for a goal of no KPI."""
    kpis = {kpi.id: kpi for kpi in catalogue}
    unknown = ", ".join(sorted(goals.keys() - kpis.keys()))
    if unknown:
        raise ValueError(f"board.goals: no KPI is called {unknown}; `deskpulse kpis` lists them")
    of_kpis = (_dashboard(plan, _families(plan, catalogue), kpis, goals) for plan in _PLANS)
    return (*of_kpis, _pipeline())


def _families(plan: _Plan, catalogue: Sequence[Kpi]) -> tuple[str, ...]:
    if plan is not _OVERVIEW:
        return plan.families
    planned = {family for other in _PLANS for family in other.families}
    return (*plan.families, *dict.fromkeys(kpi.family for kpi in catalogue if kpi.family not in planned))


def _dashboard(plan: _Plan, families: Iterable[str], kpis: Mapping[str, Kpi], goals: Goals) -> Dashboard:
    rows = [strip()]
    shown: list[Kpi] = []
    if plan is _OVERVIEW:
        shown += [kpis[name] for name in HEADLINES]
        rows.append(Row(title="Now", panels=tuple(headline(kpi, goals) for kpi in shown)))
    for family in families:
        members = [kpi for kpi in kpis.values() if kpi.family == family]
        rows.append(Row(title=words(family), panels=kpi_panels(members, goals)))
        shown += members
    missing = _missing_beside_speed(shown)
    if missing:
        rows.append(Row(title="Beside speed", panels=kpi_panels([kpis[name] for name in missing], goals)))
    return Dashboard(name=plan.name, title=plan.title, description=plan.description, rows=tuple(rows))


def _missing_beside_speed(shown: Iterable[Kpi]) -> list[str]:
    there = {kpi.id: isinstance(kpi.formula, Percentile | Mean) for kpi in shown}
    return [name for name in BESIDE_SPEED if name not in there] if any(there.values()) else []


def _pipeline() -> Dashboard:
    return Dashboard(
        name="pipeline",
        title="Deskpulse: pipeline",
        description="The workers themselves: progress, lag, outcomes of the input, checkpoints, recoveries.",
        rows=(strip(), *pipeline_rows()),
    )

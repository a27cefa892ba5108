"""Steps of the fold for everything else that befalls a case: messages, changed dimensions, escalations, surveys."""

from __future__ import annotations

from models.cases.items import Payload
from models.cases.state import CaseState
from models.cases.surveys import SurveyFold


def customer_wrote(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Someone waits from now on, unless they already do; a paused clock goes on."""
    del event_id, payload
    case.await_answer(at)
    if case.resolution_clock is not None:
        case.resolution_clock.resume(at)


def representative_wrote(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Only a public reply by a person satisfies anything."""
    if payload[2] and not payload[3]:
        case.replied(at, event_id)


def priority_changed(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Re-targets both clocks."""
    del event_id
    case.priority_named = payload[2]
    case.priority = case.dimensions.normal("priority", payload[2])
    case.recell(at)
    for clock in (case.reply_clock, case.resolution_clock):
        if clock is not None:
            clock.retarget(at, case.rules.target(clock.metric, case.priority_named))


def reclassified(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """A reason given here holds for every contact of the case."""
    del event_id
    _, _, reason, team, channel = payload
    if reason:
        case.reclassified_reason = reason
        case.contacts_changed = True
    if team:
        case.team = case.dimensions.normal("team", team)
    if channel:
        case.channel = case.dimensions.normal("channel", channel)
    case.recell(at)


def flagged(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Flags that come later than the opening."""
    case.flag(payload[2], at, event_id)


def escalated(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Counted where it comes from, each time; the cohort once."""
    case.journal.append(("escalated", at, case.cell, 1))
    case.announced.append(("escalated", at, event_id, case.cell))
    if not case.escalated:
        case.escalated = True
        case.count_cohort("cohort_escalated")
    if payload[3]:
        case.team = case.dimensions.normal("team", payload[3])
        case.recell(at)


def exempted(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Merged or cancelled."""
    del payload
    case.make_exempt(at, event_id)


def survey_sent(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Carries the case's cell as of now."""
    del event_id
    if case.surveys is None:
        case.surveys = SurveyFold(case.dimensions)
    case.surveys.sent(at, case.cell, payload, case.journal)


def survey_responded(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Carries the case's cell as of now; replaces an earlier response."""
    del event_id
    if case.surveys is None:
        case.surveys = SurveyFold(case.dimensions)
    case.surveys.responded(at, case.cell, payload, case.journal)


def nothing(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Kept in the row for the clocks and KPIs to come; no fact yet."""

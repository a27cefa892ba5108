"""Steps of the fold that move a case through its life: status changes, resolution, reopening, closing."""

from __future__ import annotations

from models.cases.items import Payload
from models.cases.state import CaseState
from models.sla.clock import RUNNING


def status_changed(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Of a resolved case only ``open`` has an effect; it is a reopening if the source sends none itself. Closed stays closed."""
    status = payload[2]
    if case.status == "closed":
        return
    if case.status == "resolved":
        if status != "open":
            return
        if not case.explicit_reopens:
            case.implicit_reopens += 1
            _reopen(case, at, event_id)
    _enter(case, status, at)


def resolved(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """A second one without a reopening is ignored."""
    del payload
    if case.status not in {"resolved", "closed"}:
        _resolve(case, at, event_id, "resolved")


def closed(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Resolves a case that never was; a second one is ignored."""
    del payload
    if case.status == "closed":
        return
    if case.status == "resolved":
        _enter(case, "closed", at)
    else:
        _resolve(case, at, event_id, "closed")
    case.journal.append(("closed", at, case.cell, 1))
    case.announced.append(("closed", at, event_id, case.cell))


def reopened(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Counts from any status. The first one makes the fold ``stale`` if reopenings were taken from status changes before."""
    del payload
    if not case.explicit_reopens:
        case.explicit_reopens = True
        case.stale = case.implicit_reopens > 0
    _reopen(case, at, event_id)
    _enter(case, "open", at)


def _resolve(case: CaseState, at: int, event_id: str, status: str) -> None:
    case.awaiting_since = None
    case.journal.append(("resolved", at, case.cell, 1))
    case.announced.append(("resolved", at, event_id, case.cell))
    if case.escalated:
        case.journal.append(("resolved_escalated", at, case.cell, 1))
    if case.first_resolved_at is None:
        case.first_resolved_at = at
        if case.opened_at is not None:
            case.duration("first_resolution", case.opened_at, at, case.cell)
            case.count_cohort("cohort_resolved")
            case.fulfil(case.reply_clock, at)
            case.fulfil(case.resolution_clock, at)
    _enter(case, status, at)


def _reopen(case: CaseState, at: int, event_id: str) -> None:
    case.journal.append(("reopened", at, case.cell, 1))
    case.announced.append(("reopened", at, event_id, case.cell))
    case.reopened_at.append(at)
    case.contacts_changed = True
    resolved_at = case.first_resolved_at
    if resolved_at is not None and not case.reopened_in_window and resolved_at < at <= resolved_at + case.rules.reopen_window:
        case.reopened_in_window = True
        case.count_cohort("cohort_reopened")


def _enter(case: CaseState, status: str, at: int) -> None:
    """Be in a status from now on: the balance moves, and a clock that a customer's message had resumed pauses again."""
    if status != case.status:
        _move_balance(case, status, at)
    case.status = status
    clock = case.resolution_clock
    if clock is not None and clock.state == RUNNING:
        if status in case.rules.pause_statuses:
            clock.pause(at)
        else:
            clock.resume(at)


def _move_balance(case: CaseState, status: str, at: int) -> None:
    if case.opened_at is not None:
        date = case.balance_date(at)
        if case.status and case.status != "closed":
            case.journal.append((f"open_cases:{case.status}", date, case.cell, -1))
        if status != "closed":
            case.journal.append((f"open_cases:{status}", date, case.cell, 1))

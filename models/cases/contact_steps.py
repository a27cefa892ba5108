"""Steps of the fold for what happens to a single contact: offered, answered, abandoned, transferred, ended."""

from __future__ import annotations

from models.cases.contact import ContactFold, Outcome
from models.cases.items import Payload
from models.cases.state import CaseState
from models.panes.histogram import key as histogram_key
from models.sla.clock import Clock


def opened(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """The first of a case opens it; the first of each contact offers it."""
    _, contact_id, channel, queue, _, team, reason, _, _, flags, _, _ = payload
    if case.opened_at is None:
        _open_case(case, at, event_id, payload)
    if flags:
        case.flag(flags, at, event_id)
    case.await_answer(at)
    contact = case.contact(contact_id)
    if contact.opened_at is not None:
        return
    normal = case.dimensions.normal
    contact.opened_at = at
    contact.outcome = Outcome.NONE
    contact.queue = normal("queue", queue) if queue else case.queue
    contact.channel = normal("channel", channel) if channel else case.channel
    contact.team = normal("team", team) if team else case.team
    contact.reason = reason
    contact.opening_cell = cell = (contact.queue, contact.channel, case.priority, contact.team)
    case.contacts_changed = True
    case.journal.append(("offered", at, cell, 1))
    if not case.customer:
        case.journal.append(("no_customer", at, cell, 1))
    if channel in case.rules.queued_channels or (not channel and contact.channel in case.rules.queued_channels):
        contact.queued = True
        case.waiting_contacts.append(contact)


def _open_case(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    _, case.first_contact, channel, queue, priority, team, case.reason, due_reply, due_resolution, _, _, _ = payload
    normal = case.dimensions.normal
    case.opened_at = at
    case.channel = normal("channel", channel)
    case.queue = normal("queue", queue)
    case.priority = normal("priority", priority)
    case.priority_named = priority
    case.team = normal("team", team)
    case.cell = cell = (case.queue, case.channel, case.priority, case.team)
    case.status = "open"
    case.journal.append(("opened", at, cell, 1))
    case.journal.append(("open_cases:open", at, cell, 1))
    case.announced.append(("opened", at, event_id, cell))
    target = case.rules.target
    case.reply_clock = Clock("first_reply", at, target("first_reply", priority), due_reply)
    case.resolution_clock = Clock("resolution", at, target("resolution", priority), due_resolution)


def answered(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Counts once per contact, never after the customer had given up; the case has its first reply at the latest now."""
    contact = case.contact(payload[1])
    if contact.answered_at is None and not contact.given_up:
        contact.answered_at = at
        case.journal.append(("answered", at, case.contact_cell(contact), 1))
    if contact.opened_at is not None and contact.outcome is Outcome.NONE:
        _leave_queue(case, contact, Outcome.ANSWERED, at)
    case.replied(at, event_id)


def abandoned(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """The customer left; in the queue only the first outcome counts."""
    del event_id
    contact = case.contact(payload[1])
    contact.given_up = True
    if contact.outcome is Outcome.NONE:
        _leave_queue(case, contact, Outcome.ABANDONED, at)
        case.contacts_changed = True


def callback_requested(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Neither answered nor abandoned: out of the queue all the same."""
    del event_id
    contact = case.contact(payload[1])
    contact.given_up = True
    if contact.outcome is Outcome.NONE:
        _leave_queue(case, contact, Outcome.CALLED_BACK, at)


def _leave_queue(case: CaseState, contact: ContactFold, outcome: Outcome, at: int) -> None:
    contact.outcome = outcome
    if not contact.queued or contact.opened_at is None:
        return
    cell = case.contact_cell(contact)
    target = case.rules.service_level_target
    wait = at - contact.opened_at
    if wait < 0:
        wait = 0
        case.count("clamped", at, cell)
    if contact in case.waiting_contacts:
        case.waiting_contacts.remove(contact)
    if outcome is Outcome.ANSWERED:
        case.count(histogram_key("speed_of_answer", wait), at, cell)
        if wait:
            case.count("speed_of_answer_ms", at, cell, wait)
        case.count("queue_answered", at, cell)
        if wait <= target:
            case.count("queue_answered_within", at, cell)
    elif outcome is Outcome.ABANDONED:
        case.count("queue_abandoned_short" if wait < case.rules.short_abandon else "queue_abandoned", at, cell)
        if wait <= target:
            case.count("queue_abandoned_within", at, cell)


def transferred(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Counted where it comes from; the contact, if it is known, moves along with its case."""
    _, contact_id, to_queue, to_team = payload
    normal = case.dimensions.normal
    case.journal.append(("transferred", at, case.cell, 1))
    case.announced.append(("transferred", at, event_id, case.cell))
    contact = case.contacts.get(contact_id)
    if contact is not None and contact.opened_at is not None:
        contact.queue = normal("queue", to_queue)
        if to_team:
            contact.team = normal("team", to_team)
    case.queue = normal("queue", to_queue)
    if to_team:
        case.team = normal("team", to_team)
    case.recell(at)


def ended(case: CaseState, at: int, event_id: str, payload: Payload) -> None:
    """Handle time of the contact's first end: its parts if any is given, else the time since the answer."""
    del event_id
    contact = case.contact(payload[1])
    if contact.ended:
        return
    contact.ended = True
    parts = [part for part in payload[2:5] if part is not None]
    if parts:
        handled = round(sum(parts) * 1000)
    elif contact.answered_at is not None:
        handled = at - contact.answered_at
    else:
        return
    cell = case.contact_cell(contact)
    handled = case.duration("handle_time", at - handled, at, cell)
    if handled:
        case.count("handle_time_ms", at, cell, handled)

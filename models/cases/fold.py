"""What a case's events amount to: a fold over them in order, giving facts.

``step`` takes the next event in order and appends to ``journal`` what that adds to (or takes from) the facts;
``settle`` adds the verdicts that the passing of time makes certain. Recomputing a row is nothing but a new fold
over all its items, so the facts are a function of the set of events and of the instant settled to.
The rules are those of ``docs/explanation/semantics.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from models.cases.contact import ContactFold, Outcome
from models.cases.dimensions import UNSET, Cell, Dimensions
from models.cases.facts import Entry
from models.cases.items import OPENED, REOPENED, Item, Payload
from models.cases.rules import CaseRules
from models.cases.surveys import SurveyFold
from models.panes.histogram import key as histogram_key
from models.progress.watermark import NEVER
from models.sla.clock import RUNNING, Clock

UNRESOLVED: Final = frozenset({"open", "pending_customer", "pending_third_party", "on_hold"})
EXEMPTING: Final = frozenset({"synthetic", "internal", "spam"})
AFTER_EVERYTHING: Final = 2**62


class CaseFold:
    """State of the fold. ``announced`` collects lifecycle steps ``(kind, at, event_id, cell)`` for case-events."""

    __slots__ = (
        "announced",
        "awaiting_since",
        "cell",
        "channel",
        "contacts",
        "contacts_changed",
        "customer",
        "dimensions",
        "due_facts",
        "escalated",
        "exempt",
        "explicit_reopens",
        "first_contact",
        "first_reply_at",
        "first_resolved_at",
        "historical",
        "implicit_reopens",
        "journal",
        "last_at",
        "opened_at",
        "priority",
        "priority_named",
        "queue",
        "reason",
        "reclassified_reason",
        "reopened_at",
        "reopened_in_window",
        "reply_clock",
        "resolution_clock",
        "rules",
        "settled_due",
        "settled_to",
        "stale",
        "status",
        "surveys",
        "team",
        "waiting_contacts",
    )

    def __init__(self, rules: CaseRules, dimensions: Dimensions) -> None:
        self.rules = rules
        self.dimensions = dimensions
        self.journal: list[Entry] = []
        self.announced: list[tuple[str, int, str, Cell]] = []
        self.opened_at: int | None = None
        self.queue = self.channel = self.priority = self.team = UNSET
        self.cell: Cell = (UNSET, UNSET, UNSET, UNSET)
        self.priority_named = ""
        self.reason = ""
        self.reclassified_reason = ""
        self.customer = ""
        self.status = ""
        self.awaiting_since: int | None = None
        self.first_reply_at: int | None = None
        self.first_resolved_at: int | None = None
        self.reopened_at: list[int] = []
        self.reopened_in_window = False
        self.explicit_reopens = False
        self.implicit_reopens = 0
        self.escalated = False
        self.exempt = False
        self.historical = False
        self.stale = False
        self.contacts: dict[str, ContactFold] = {}
        self.first_contact = ""
        self.contacts_changed = False
        self.surveys: SurveyFold | None = None
        self.reply_clock: Clock | None = None
        self.resolution_clock: Clock | None = None
        self.waiting_contacts: list[ContactFold] = []
        self.due_facts: list[tuple[int, str, Cell]] = []
        self.settled_due = NEVER
        self.settled_to = NEVER
        self.last_at = NEVER

    # -- the fold -----------------------------------------------------------------------------------

    def step(self, item: Item) -> None:
        """Take the next event in order."""
        at, rank, event_id, _, payload = item
        self.last_at = max(self.last_at, at)
        if self.waiting_contacts or self.reply_clock is not None:
            self._pass(at)
        customer = payload[0]
        if customer and customer != self.customer:
            self._know_customer(customer)
        _STEPS[rank](self, at, event_id, payload)

    def settle(self, watermark: int) -> None:
        """Count every verdict whose instant the watermark has reached."""
        self.settled_to = max(self.settled_to, watermark)
        self._pass(watermark, inclusive=True)
        if not self.due_facts:
            return
        waiting = []
        for fact in self.due_facts:
            due, key, cell = fact
            if due <= watermark:
                self.journal.append((key, due, cell, 1))
                self.settled_due = max(self.settled_due, due)
            else:
                waiting.append(fact)
        self.due_facts = waiting

    def _pass(self, at: int, *, inclusive: bool = False) -> None:
        """Note what went by unfulfilled before ``at`` with the cell it has now: nothing between changed it."""
        limit = at + 1 if inclusive else at
        if self.waiting_contacts:
            self._pass_contacts(limit)
        for clock in (self.reply_clock, self.resolution_clock):
            if clock is None:
                continue
            due = clock.expires_at
            if due is not None and due < limit:
                clock.expire()
                self.due_facts.append((due, f"sla_breached:{clock.metric}", self.cell))

    def _pass_contacts(self, limit: int) -> None:
        target = self.rules.service_level_target
        waiting = []
        for contact in self.waiting_contacts:
            due = (contact.opened_at or 0) + target
            if due < limit:
                self.due_facts.append((due, "queue_reached", self._contact_cell(contact)))
            else:
                waiting.append(contact)
        self.waiting_contacts = waiting

    def next_verdict(self) -> int:
        """The earliest instant at which time alone changes the facts; ``AFTER_EVERYTHING`` if there is none."""
        target = self.rules.service_level_target
        instants = [fact[0] for fact in self.due_facts]
        instants += [(contact.opened_at or 0) + target for contact in self.waiting_contacts]
        instants += [
            clock.due for clock in (self.reply_clock, self.resolution_clock) if clock is not None and clock.state == RUNNING and clock.due is not None
        ]
        return min(instants, default=AFTER_EVERYTHING)

    # -- small parts ----------------------------------------------------------------------------------

    def _count(self, key: str, at: int, cell: Cell, weight: int = 1) -> None:
        self.journal.append((key, at, cell, weight))

    def _duration(self, name: str, begin: int, end: int, cell: Cell) -> int:
        """Count a duration dated at its end; returns it in ms, clamped at 0."""
        elapsed = end - begin
        if elapsed < 0:
            elapsed = 0
            self.journal.append(("clamped", end, cell, 1))
        self.journal.append((histogram_key(name, elapsed), end, cell, 1))
        return elapsed

    def _contact_cell(self, contact: ContactFold) -> Cell:
        if contact.opened_at is None:
            return self.cell
        return contact.queue, contact.channel, self.priority, contact.team

    def _contact(self, contact_id: str) -> ContactFold:
        contact = self.contacts.get(contact_id)
        if contact is None:
            contact = self.contacts[contact_id] = ContactFold(contact_id)
        return contact

    def _balance_date(self, at: int) -> int:
        opened_at = self.opened_at
        return at if opened_at is None or at > opened_at else opened_at

    def _enter(self, status: str, at: int) -> None:
        """Be in a status from now on: the balance moves, and a clock that a customer's message had resumed pauses again."""
        if status != self.status:
            self._move_balance(status, at)
        self.status = status
        clock = self.resolution_clock
        if clock is not None and clock.state == RUNNING:
            if status in self.rules.pause_statuses:
                clock.pause(at)
            else:
                clock.resume(at)

    def _move_balance(self, status: str, at: int) -> None:
        if self.opened_at is not None:
            date = self._balance_date(at)
            if self.status and self.status != "closed":
                self.journal.append((f"open_cases:{self.status}", date, self.cell, -1))
            if status != "closed":
                self.journal.append((f"open_cases:{status}", date, self.cell, 1))

    def _recell(self, at: int) -> None:
        """Take over changed dimensions; the balance moves with them."""
        before = self.cell
        after = (self.queue, self.channel, self.priority, self.team)
        if after == before:
            return
        self.cell = after
        if self.opened_at is not None and self.status and self.status != "closed":
            date = self._balance_date(at)
            self.journal.append((f"open_cases:{self.status}", date, before, -1))
            self.journal.append((f"open_cases:{self.status}", date, after, 1))

    def _know_customer(self, customer: str) -> None:
        if not self.customer:
            self.journal += [("no_customer", opened.opened_at, opened.opening_cell, -1) for opened in self.contacts.values() if opened.opened_at is not None]
        self.customer = customer
        self.contacts_changed = True

    def _exempt(self, at: int, event_id: str) -> None:
        if not self.exempt:
            self.exempt = self.contacts_changed = True
            self.announced.append(("exempt", at, event_id, self.cell))

    def _flag(self, flags: Iterable[str], at: int, event_id: str) -> None:
        for flag in flags:
            if flag in EXEMPTING:
                self._exempt(at, event_id)
            elif flag == "historical":
                self.historical = True

    def _replied(self, at: int, event_id: str) -> None:
        self.awaiting_since = None
        if self.first_reply_at is not None:
            return
        self.first_reply_at = at
        if self.opened_at is None:
            return
        self._duration("first_reply", self.opened_at, at, self.cell)
        self.announced.append(("first_reply", at, event_id, self.cell))
        self._fulfil(self.reply_clock, at)

    def _fulfil(self, clock: Clock | None, at: int) -> None:
        if clock is not None and clock.fulfilled_at is None and clock.fulfil(at):
            self.journal.append((f"sla_met:{clock.metric}", at, self.cell, 1))

    # -- one method per type ----------------------------------------------------------------------------

    def _opened(self, at: int, event_id: str, payload: Payload) -> None:
        _, contact_id, channel, queue, priority, team, reason, due_reply, due_resolution, flags, _, _ = payload
        if self.opened_at is None:
            self._open_case(at, event_id, (channel, queue, priority, team, reason), due_reply, due_resolution)
            self.first_contact = contact_id
        if flags:
            self._flag(flags, at, event_id)
        contact = self._contact(contact_id)
        if contact.opened_at is not None:
            return
        normal = self.dimensions.normal
        contact.opened_at = at
        contact.outcome = Outcome.NONE
        contact.queue = normal("queue", queue) if queue else self.queue
        contact.channel = normal("channel", channel) if channel else self.channel
        contact.team = normal("team", team) if team else self.team
        contact.reason = reason
        contact.opening_cell = cell = (contact.queue, contact.channel, self.priority, contact.team)
        self.contacts_changed = True
        self.journal.append(("offered", at, cell, 1))
        if not self.customer:
            self.journal.append(("no_customer", at, cell, 1))
        if channel in self.rules.queued_channels or (not channel and contact.channel in self.rules.queued_channels):
            contact.queued = True
            self.waiting_contacts.append(contact)

    def _open_case(self, at: int, event_id: str, named: tuple[str, str, str, str, str], due_reply: int | None, due_resolution: int | None) -> None:
        channel, queue, priority, team, self.reason = named
        normal = self.dimensions.normal
        self.opened_at = at
        self.channel = normal("channel", channel)
        self.queue = normal("queue", queue)
        self.priority = normal("priority", priority)
        self.priority_named = priority
        self.team = normal("team", team)
        self.cell = cell = (self.queue, self.channel, self.priority, self.team)
        self.awaiting_since = at
        self.status = "open"
        self.journal.append(("opened", at, cell, 1))
        self.journal.append(("open_cases:open", at, cell, 1))
        self.announced.append(("opened", at, event_id, cell))
        target = self.rules.target
        self.reply_clock = Clock("first_reply", at, target("first_reply", priority), due_reply)
        self.resolution_clock = Clock("resolution", at, target("resolution", priority), due_resolution)

    def _answered(self, at: int, event_id: str, payload: Payload) -> None:
        contact = self._contact(payload[1])
        if contact.answered_at is None and not contact.given_up:
            contact.answered_at = at
            self.journal.append(("answered", at, self._contact_cell(contact), 1))
        if contact.opened_at is not None and contact.outcome is Outcome.NONE:
            self._leave_queue(contact, Outcome.ANSWERED, at)
        self._replied(at, event_id)

    def _abandoned(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        contact = self._contact(payload[1])
        contact.given_up = True
        if contact.outcome is Outcome.NONE:
            self._leave_queue(contact, Outcome.ABANDONED, at)
            self.contacts_changed = True

    def _callback_requested(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        contact = self._contact(payload[1])
        contact.given_up = True
        if contact.outcome is Outcome.NONE:
            self._leave_queue(contact, Outcome.CALLED_BACK, at)

    def _leave_queue(self, contact: ContactFold, outcome: Outcome, at: int) -> None:
        contact.outcome = outcome
        if not contact.queued or contact.opened_at is None:
            return
        cell = self._contact_cell(contact)
        target = self.rules.service_level_target
        wait = at - contact.opened_at
        if wait < 0:
            wait = 0
            self._count("clamped", at, cell)
        if contact in self.waiting_contacts:
            self.waiting_contacts.remove(contact)
        if outcome is Outcome.ANSWERED:
            self._count(histogram_key("speed_of_answer", wait), at, cell)
            if wait:
                self._count("speed_of_answer_ms", at, cell, wait)
            self._count("queue_answered", at, cell)
            if wait <= target:
                self._count("queue_answered_within", at, cell)
        elif outcome is Outcome.ABANDONED:
            self._count("queue_abandoned_short" if wait < self.rules.short_abandon else "queue_abandoned", at, cell)
            if wait <= target:
                self._count("queue_abandoned_within", at, cell)

    def _transferred(self, at: int, event_id: str, payload: Payload) -> None:
        _, contact_id, to_queue, to_team = payload
        normal = self.dimensions.normal
        self.journal.append(("transferred", at, self.cell, 1))
        self.announced.append(("transferred", at, event_id, self.cell))
        contact = self.contacts.get(contact_id)
        if contact is not None and contact.opened_at is not None:
            contact.queue = normal("queue", to_queue)
            if to_team:
                contact.team = normal("team", to_team)
        self.queue = normal("queue", to_queue)
        if to_team:
            self.team = normal("team", to_team)
        self._recell(at)

    def _customer_wrote(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id, payload
        if self.status in UNRESOLVED and self.awaiting_since is None:
            self.awaiting_since = at
        if self.resolution_clock is not None:
            self.resolution_clock.resume(at)

    def _representative_wrote(self, at: int, event_id: str, payload: Payload) -> None:
        if payload[2] and not payload[3]:
            self._replied(at, event_id)

    def _status_changed(self, at: int, event_id: str, payload: Payload) -> None:
        status = payload[2]
        if self.status == "closed":
            return
        if self.status == "resolved":
            if status != "open":
                return
            if not self.explicit_reopens:
                self.implicit_reopens += 1
                self._reopen(at, event_id)
        self._enter(status, at)

    def _priority_changed(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        self.priority_named = payload[2]
        self.priority = self.dimensions.normal("priority", payload[2])
        self._recell(at)
        for clock in (self.reply_clock, self.resolution_clock):
            if clock is not None:
                clock.retarget(at, self.rules.target(clock.metric, self.priority_named))

    def _reclassified(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        _, _, reason, team, channel = payload
        if reason:
            self.reclassified_reason = reason
            self.contacts_changed = True
        if team:
            self.team = self.dimensions.normal("team", team)
        if channel:
            self.channel = self.dimensions.normal("channel", channel)
        self._recell(at)

    def _flagged(self, at: int, event_id: str, payload: Payload) -> None:
        self._flag(payload[2], at, event_id)

    def _nothing(self, at: int, event_id: str, payload: Payload) -> None:
        """Kept in the row for the clocks and KPIs to come; no fact yet."""

    def _case_escalated(self, at: int, event_id: str, payload: Payload) -> None:
        self.journal.append(("escalated", at, self.cell, 1))
        self.announced.append(("escalated", at, event_id, self.cell))
        if not self.escalated:
            self.escalated = True
            self._count_cohort("cohort_escalated")
        if payload[3]:
            self.team = self.dimensions.normal("team", payload[3])
            self._recell(at)

    def _count_cohort(self, key: str) -> None:
        """A cohort fact is dated at the opening and carries the opening's cell."""
        if self.opened_at is not None:
            self.journal.append((key, self.opened_at, self.contacts[self.first_contact].opening_cell, 1))

    def _ended(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        contact = self._contact(payload[1])
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
        cell = self._contact_cell(contact)
        handled = self._duration("handle_time", at - handled, at, cell)
        if handled:
            self._count("handle_time_ms", at, cell, handled)

    def _reopen(self, at: int, event_id: str) -> None:
        self.journal.append(("reopened", at, self.cell, 1))
        self.announced.append(("reopened", at, event_id, self.cell))
        self.reopened_at.append(at)
        self.contacts_changed = True
        resolved_at = self.first_resolved_at
        if resolved_at is not None and not self.reopened_in_window and resolved_at < at <= resolved_at + self.rules.reopen_window:
            self.reopened_in_window = True
            self._count_cohort("cohort_reopened")

    def _case_reopened(self, at: int, event_id: str, payload: Payload) -> None:
        del payload
        if not self.explicit_reopens:
            self.explicit_reopens = True
            self.stale = self.implicit_reopens > 0
        self._reopen(at, event_id)
        self._enter("open", at)

    def _case_resolved(self, at: int, event_id: str, payload: Payload) -> None:
        del payload
        if self.status not in {"resolved", "closed"}:
            self._resolve(at, event_id, "resolved")

    def _case_closed(self, at: int, event_id: str, payload: Payload) -> None:
        del payload
        if self.status == "closed":
            return
        if self.status == "resolved":
            self._enter("closed", at)
        else:
            self._resolve(at, event_id, "closed")
        self.journal.append(("closed", at, self.cell, 1))
        self.announced.append(("closed", at, event_id, self.cell))

    def _resolve(self, at: int, event_id: str, status: str) -> None:
        self.awaiting_since = None
        self.journal.append(("resolved", at, self.cell, 1))
        self.announced.append(("resolved", at, event_id, self.cell))
        if self.escalated:
            self.journal.append(("resolved_escalated", at, self.cell, 1))
        if self.first_resolved_at is None:
            self.first_resolved_at = at
            if self.opened_at is not None:
                self._duration("first_resolution", self.opened_at, at, self.cell)
                self._count_cohort("cohort_resolved")
                self._fulfil(self.reply_clock, at)
                self._fulfil(self.resolution_clock, at)
        self._enter(status, at)

    def _exempted(self, at: int, event_id: str, payload: Payload) -> None:
        del payload
        self._exempt(at, event_id)

    def _survey_sent(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        if self.surveys is None:
            self.surveys = SurveyFold(self.dimensions)
        self.surveys.sent(at, self.cell, payload, self.journal)

    def _survey_responded(self, at: int, event_id: str, payload: Payload) -> None:
        del event_id
        if self.surveys is None:
            self.surveys = SurveyFold(self.dimensions)
        self.surveys.responded(at, self.cell, payload, self.journal)


_STEPS: Final[tuple[Callable[[CaseFold, int, str, Payload], None], ...]] = (
    CaseFold._opened,
    CaseFold._answered,
    CaseFold._abandoned,
    CaseFold._callback_requested,
    CaseFold._transferred,
    CaseFold._customer_wrote,
    CaseFold._representative_wrote,
    CaseFold._status_changed,
    CaseFold._priority_changed,
    CaseFold._reclassified,
    CaseFold._flagged,
    CaseFold._nothing,
    CaseFold._case_escalated,
    CaseFold._nothing,
    CaseFold._nothing,
    CaseFold._nothing,
    CaseFold._ended,
    CaseFold._case_reopened,
    CaseFold._case_resolved,
    CaseFold._case_closed,
    CaseFold._exempted,
    CaseFold._exempted,
    CaseFold._survey_sent,
    CaseFold._survey_responded,
)


def fold_all(items: list[Item], rules: CaseRules, dimensions: Dimensions, settled_to: int) -> CaseFold:
    """The fold over all items (sorted), the opening first, settled to an instant. ``journal`` then holds every fact."""
    fold = CaseFold(rules, dimensions)
    fold.explicit_reopens = any(item[1] == REOPENED for item in items)
    opening = next((item for item in items if item[1] == OPENED), None)
    if opening is not None:
        fold.step(opening)
    for item in items:
        if item is not opening:
            fold.step(item)
    if settled_to > NEVER:
        fold.settle(settled_to)
    return fold


"""What a case's fold knows so far, and the small parts of which every step is made.

Steps append to ``journal`` what they add to (or take from) the facts; the rules are those of ``docs/explanation/semantics.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from models.cases.contact import ContactFold
from models.cases.rules import CaseRules
from models.cases.surveys import SurveyFold
from models.panes.dimensions import UNSET, Cell, Dimensions
from models.panes.facts import Entry
from models.panes.histogram import key as histogram_key
from models.progress.watermark import NEVER
from models.sla.clock import Clock

UNRESOLVED: Final = frozenset({"open", "pending_customer", "pending_third_party", "on_hold"})
Judgement = tuple[int, bool, int, int]
"""(settled to, exempt, changes of the two clocks): as long as it stays, nothing new is to be said about the clocks."""
UNJUDGED: Final[Judgement] = (NEVER, False, -1, -1)
EXEMPTING: Final = frozenset({"synthetic", "internal", "spam"})


class CaseState:
    """``announced`` collects lifecycle steps ``(kind, at, event_id, cell)`` for case-events, of which the first ``said`` are out."""

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
        "judged",
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
        "said",
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
        self.said = 0
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
        self.judged = UNJUDGED
        self.waiting_contacts: list[ContactFold] = []
        self.due_facts: list[tuple[int, str, Cell]] = []
        self.settled_due = NEVER
        self.settled_to = NEVER
        self.last_at = NEVER

    # -- facts ------------------------------------------------------------------------------------------

    def count(self, key: str, at: int, cell: Cell, weight: int = 1) -> None:
        self.journal.append((key, at, cell, weight))

    def duration(self, name: str, begin: int, end: int, cell: Cell) -> int:
        """Count a duration dated at its end; returns it in ms, clamped at 0."""
        elapsed = end - begin
        if elapsed < 0:
            elapsed = 0
            self.journal.append(("clamped", end, cell, 1))
        self.journal.append((histogram_key(name, elapsed), end, cell, 1))
        return elapsed

    def count_cohort(self, key: str) -> None:
        """A cohort fact is dated at the opening and carries the opening's cell."""
        if self.opened_at is not None:
            self.journal.append((key, self.opened_at, self.contacts[self.first_contact].opening_cell, 1))

    def judgement(self, settled_to: int) -> Judgement:
        """What decides what is said about the clocks."""
        reply, resolution = self.reply_clock, self.resolution_clock
        return (
            settled_to,
            self.exempt,
            -1 if reply is None else reply.changes,
            -1 if resolution is None else resolution.changes,
        )

    # -- contacts and dimensions -----------------------------------------------------------------------

    def contact_cell(self, contact: ContactFold) -> Cell:
        """The contact's own dimensions with the case's priority; the case's for a contact that was never opened."""
        if contact.opened_at is None:
            return self.cell
        return contact.queue, contact.channel, self.priority, contact.team

    def contact(self, contact_id: str) -> ContactFold:
        contact = self.contacts.get(contact_id)
        if contact is None:
            contact = self.contacts[contact_id] = ContactFold(contact_id)
        return contact

    def recell(self, at: int) -> None:
        """Take over changed dimensions; the balance moves with them."""
        before = self.cell
        after = (self.queue, self.channel, self.priority, self.team)
        if after == before:
            return
        self.cell = after
        if self.opened_at is not None and self.status and self.status != "closed":
            date = self.balance_date(at)
            self.journal.append((f"open_cases:{self.status}", date, before, -1))
            self.journal.append((f"open_cases:{self.status}", date, after, 1))

    def balance_date(self, at: int) -> int:
        """No balance changes before the opening."""
        opened_at = self.opened_at
        return at if opened_at is None or at > opened_at else opened_at

    def know_customer(self, customer: str) -> None:
        """The latest customer named holds for all contacts."""
        if not self.customer:
            opened = [contact for contact in self.contacts.values() if contact.opened_at is not None]
            self.journal += [("no_customer", contact.opened_at or 0, contact.opening_cell, -1) for contact in opened]
        self.customer = customer
        self.contacts_changed = True

    # -- what several types bring about ----------------------------------------------------------------

    def make_exempt(self, at: int, event_id: str) -> None:
        """From here on the case contributes nothing; said once."""
        if not self.exempt:
            self.exempt = self.contacts_changed = True
            self.announced.append(("exempt", at, event_id, self.cell))

    def flag(self, flags: Iterable[str], at: int, event_id: str) -> None:
        for flag in flags:
            if flag in EXEMPTING:
                self.make_exempt(at, event_id)
            elif flag == "historical":
                self.historical = True

    def await_answer(self, at: int) -> None:
        """The customer's turn: somebody waits, from the first turn on. In the levels only while the case is unresolved."""
        if self.awaiting_since is None:
            self.awaiting_since = at

    def replied(self, at: int, event_id: str) -> None:
        """A person answered; the first time is the first reply."""
        self.awaiting_since = None
        if self.first_reply_at is not None:
            return
        self.first_reply_at = at
        if self.opened_at is None:
            return
        self.duration("first_reply", self.opened_at, at, self.cell)
        self.announced.append(("first_reply", at, event_id, self.cell))
        self.fulfil(self.reply_clock, at)

    def fulfil(self, clock: Clock | None, at: int) -> None:
        """A clock is fulfilled once; in time, it is met."""
        if clock is not None and clock.fulfilled_at is None and clock.fulfil(at):
            self.journal.append((f"sla_met:{clock.metric}", at, self.cell, 1))

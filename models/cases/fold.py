"""What a case's events amount to: a fold over them in order, giving facts.

``step`` takes the next event in order; ``settle`` adds the verdicts that the passing of time makes certain.
Recomputing a row is nothing but a new fold over all its items, so the facts are a function of the set of events and
of the instant settled to. The rules are those of ``docs/explanation/semantics.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.cases import case_steps, contact_steps, lifecycle_steps
from models.cases.items import OPENED, REOPENED, TYPES, Item, Payload
from models.cases.rules import CaseRules
from models.cases.state import CaseState
from models.panes.dimensions import Dimensions
from models.progress.watermark import AFTER_EVERYTHING, NEVER


class CaseFold(CaseState):
    """The state with what moves it on: events and time."""

    __slots__ = ()

    def step(self, item: Item) -> None:
        """Take the next event in order."""
        at, rank, event_id, _, payload = item
        self.last_at = max(self.last_at, at)
        if self.waiting_contacts or self.reply_clock is not None:
            self._pass(at)
        customer = payload[0]
        if customer and customer != self.customer:
            self.know_customer(customer)
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
                self.due_facts.append((due, "queue_reached", self.contact_cell(contact)))
            else:
                waiting.append(contact)
        self.waiting_contacts = waiting

    def next_verdict(self) -> int:
        """The earliest instant at which time alone changes the facts; ``AFTER_EVERYTHING`` if there is none."""
        least = AFTER_EVERYTHING
        for due, _, _ in self.due_facts:
            least = min(least, due)
        for contact in self.waiting_contacts:
            least = min(least, (contact.opened_at or 0) + self.rules.service_level_target)
        for clock in (self.reply_clock, self.resolution_clock):
            expires_at = clock.expires_at if clock is not None else None
            if expires_at is not None and expires_at < least:
                least = expires_at
        return least


Step = Callable[[CaseState, int, str, Payload], None]
"""Takes the state, the event's instant and id, and its payload."""

_STEP_OF_TYPE: Final[dict[str, Step]] = {
    "contact.opened": contact_steps.opened,
    "contact.answered": contact_steps.answered,
    "contact.abandoned": contact_steps.abandoned,
    "contact.callback_requested": contact_steps.callback_requested,
    "contact.transferred": contact_steps.transferred,
    "message.customer": case_steps.customer_wrote,
    "message.representative": case_steps.representative_wrote,
    "case.status_changed": lifecycle_steps.status_changed,
    "case.priority_changed": case_steps.priority_changed,
    "case.reclassified": case_steps.reclassified,
    "case.flagged": case_steps.flagged,
    "case.customer_changed": case_steps.nothing,
    "case.escalated": case_steps.escalated,
    "commitment.made": case_steps.nothing,
    "commitment.revised": case_steps.nothing,
    "commitment.fulfilled": case_steps.nothing,
    "contact.ended": contact_steps.ended,
    "case.reopened": lifecycle_steps.reopened,
    "case.resolved": lifecycle_steps.resolved,
    "case.closed": lifecycle_steps.closed,
    "case.merged": case_steps.exempted,
    "case.cancelled": case_steps.exempted,
    "survey.sent": case_steps.survey_sent,
    "survey.responded": case_steps.survey_responded,
}
_STEPS: Final = tuple(_STEP_OF_TYPE[name] for name in TYPES)
"""By rank."""


def fold_all(items: list[Item], rules: CaseRules, dimensions: Dimensions, settled_to: int) -> CaseFold:
    """The fold over all items (sorted), the opening first, settled to an instant. ``journal`` then holds every fact."""
    fold = CaseFold(rules, dimensions)
    fold.explicit_reopens = any(item[1] == REOPENED for item in items)
    opening = next((item for item in items if item[1] == OPENED), None)
    if opening is not None:
        fold.step(opening)
    for item in items:
        if opening is None or item[2] != opening[2]:
            fold.step(item)
    if settled_to > NEVER:
        fold.settle(settled_to)
    return fold

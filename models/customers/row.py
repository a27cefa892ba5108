"""The row of a customer: the newest version of each contact, and the repeat facts that follow from all of them.

    contact A (billing)   contact B (billing)      within 7 d and the same reason: A is repeated by B
    ●─────────────────────●──────────────▷ t
"""

from __future__ import annotations

from models.cases.rules import CaseRules
from models.durability.rows import Row
from models.events.canonical import ContactVersion
from models.panes.facts import Facts
from models.panes.tiers import slow_width
from models.progress.watermark import AFTER_EVERYTHING, NEVER


class CustomerRow(Row):
    """``contacts`` by key; a withdrawn one stays until the horizon, so that an older version cannot bring it back."""

    __slots__ = ("contacts", "facts", "settled_to")

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, ContactVersion] = {}
        self.facts: Facts = {}
        self.settled_to = NEVER


_Happening = tuple[int, str, str, str, bool]
"""(instant, contact_id, case_id, reason, is a contact): what can repeat a contact."""


def facts_of(row: CustomerRow, rules: CaseRules) -> Facts:
    """Every fact of the customer as of the instant it is settled to (``docs/explanation/semantics.md``)."""
    contacts = [contact for contact in row.contacts.values() if not contact.withdrawn]
    happenings = sorted(_happenings(contacts))
    facts: Facts = {}
    for contact in contacts:
        repeated, by_contact = _repeats(contact, happenings, rules.repeat_window)
        opened_at, cell = contact.opened_at, contact.cell
        final = row.settled_to >= opened_at + rules.repeat_window
        for key in _keys(contact, repeated=repeated, by_contact=by_contact, final=final):
            fact = (key, opened_at, cell)
            facts[fact] = facts.get(fact, 0) + 1
    return facts


def _happenings(contacts: list[ContactVersion]) -> list[_Happening]:
    happenings: list[_Happening] = []
    for contact in contacts:
        contact_id, case_id, reason = contact.contact_id, contact.case_id, contact.reason
        happenings.append((contact.opened_at, contact_id, case_id, reason, True))
        happenings += [(at, contact_id, case_id, reason, False) for at in contact.reopened_at]
    return happenings


def _repeats(contact: ContactVersion, happenings: list[_Happening], window: int) -> tuple[bool, bool]:
    """Whether anything repeats the contact, and whether another contact does."""
    begin, own_reason = contact.opened_at, contact.reason
    repeated = False
    for at, contact_id, case_id, reason, is_contact in happenings:
        if at < begin or (own_reason and reason != own_reason):
            continue
        if at > begin + window:
            break
        if at == begin and not (is_contact and (contact_id, case_id) > (contact.contact_id, contact.case_id)):
            continue
        repeated = True
        if is_contact:
            return True, True
    return repeated, False


def _keys(contact: ContactVersion, *, repeated: bool, by_contact: bool, final: bool) -> list[str]:
    keys = ["fcr_gross", "customer_contacts"]
    if by_contact:
        keys.append("customer_contacts_repeated")
    if not contact.reason:
        keys.append("fcr_coarse")
    if not repeated:
        keys.append("fcr_gross_resolved")
    if contact.abandoned:
        return keys
    keys.append("fcr_eligible")
    if not repeated:
        keys.append("fcr_resolved")
    if final:
        keys.append("fcr_final_eligible")
        if not repeated:
            keys.append("fcr_final_resolved")
    return keys


def next_wake(row: CustomerRow, rules: CaseRules) -> int:
    """When a contact becomes final or leaves the horizon, whichever comes first."""
    wake = AFTER_EVERYTHING
    for contact in row.contacts.values():
        final_at = contact.opened_at + rules.repeat_window
        wake = min(wake, final_at if final_at > row.settled_to else forget_at(contact, rules))
    return wake


def last_at(contact: ContactVersion) -> int:
    """When it was opened or last reopened."""
    reopened_at = contact.reopened_at
    return max(contact.opened_at, *reopened_at) if reopened_at else contact.opened_at


def forget_at(contact: ContactVersion, rules: CaseRules) -> int:
    """When a contact is older than the horizon, its last reopening included, and its slice has left the panes.

    Were it forgotten before, a later reopening of its case would count it there a second time.
    """
    return last_at(contact) + rules.horizon + slow_width(rules.zone)


"""Customers as a keyed machine: contacts in, repeat facts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.cases.rules import CaseRules
from models.customers.row import CustomerRow, facts_of, forget_at, last_at, next_wake
from models.durability.fence import Fence
from models.durability.keyed import Decision, Logic, RecordFailedError
from models.durability.panes import PaneStore
from models.events.canonical import ContactVersion
from models.panes.dimensions import Dimensions
from models.panes.facts import Entry, difference
from models.panes.tiers import slow_width
from models.progress.watermark import Progress


class CustomersLogic(Logic[CustomerRow]):
    """One per partition. Cells come ready-made from Cases, so no dimension is decided here."""

    def __init__(self, panes: PaneStore, dimensions: Dimensions) -> None:
        del dimensions
        self.rules = CaseRules()
        self._panes = panes

    def adopt(self, body: dict[str, Any], *, changed: bool) -> None:
        """Rules that hold for every record from here on. A touched row's facts are always made anew, so changed ones need no more."""
        del changed
        self.rules = CaseRules.from_body(body)
        self._panes.configure(slow_width(self.rules.zone), self.rules.horizon, fast=self.rules.fast_tier)

    def note(self, record: ContactVersion) -> None:
        """Nothing to register."""

    def occurred_at(self, record: ContactVersion) -> int:
        return last_at(record)

    def conclude(self, key: str, row: CustomerRow) -> None:
        """When a contact next becomes final or is forgotten."""
        row.wake_at = next_wake(row, self.rules)

    def rewritten(self, keys: Sequence[str]) -> None:
        """Nothing is published about single customers."""

    def counted_before(self, row: CustomerRow | None, record: ContactVersion) -> str:
        del row, record
        return "applied"

    def apply(self, key: str, row: CustomerRow | None, record: ContactVersion, fence: Fence, progress: Progress) -> Decision[CustomerRow]:
        """Take a version of a contact; an older or equal one changes nothing."""
        del key, fence, progress
        if row is None:
            row = CustomerRow()
        known = row.contacts.get(record.key)
        if known is not None and known.version >= record.version:
            return Decision(None, counted="redelivered")
        row.contacts[record.key] = record
        try:
            journal = self._refresh(row)
        except Exception as error:
            if known is None:
                del row.contacts[record.key]
            else:
                row.contacts[record.key] = known
            raise RecordFailedError(repr(error)) from error
        return Decision(row, journal)

    def wake(self, key: str, row: CustomerRow, fence: Fence, progress: Progress) -> Decision[CustomerRow]:
        """Make contacts final and forget those older than the horizon; their facts stay in the panes."""
        del key, fence
        row.settled_to = max(row.settled_to, progress.watermark)
        journal = self._refresh(row)
        gone = [name for name, contact in row.contacts.items() if forget_at(contact, self.rules) <= progress.watermark]
        for name in gone:
            del row.contacts[name]
        if gone:
            row.facts = facts_of(row, self.rules)
        return Decision(row, journal, over=not row.contacts)

    def _refresh(self, row: CustomerRow) -> list[Entry]:
        facts = facts_of(row, self.rules)
        journal = difference(row.facts, facts)
        row.facts = facts
        return journal

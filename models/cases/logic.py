"""Cases as a keyed machine: takes an event into its row and says what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

from models.cases.contact import Outcome
from models.cases.fold import CaseFold
from models.cases.items import item_of
from models.cases.level import level_of
from models.cases.level_table import LevelTable
from models.cases.row import CaseRow, Level, Sent
from models.cases.rules import CaseRules
from models.cases.take import Announcement, Taken, next_wake, pass_time, take
from models.durability.fence import Fence, unpack
from models.durability.keyed import Decision, Logic, Message, RecordFailedError
from models.durability.panes import PaneStore
from models.events.canonical import ContactVersion, Event
from models.events.rules import RULES
from models.panes.dimensions import Dimensions
from models.panes.tiers import slow_width
from models.progress.watermark import NEVER, Progress
from models.sla.verdicts import UNSAID, body, statements

_NOTED: Final = (
    ("queue", "queue"),
    ("queue", "to_queue"),
    ("channel", "channel"),
    ("priority", "priority"),
    ("team", "team"),
    ("team", "to_team"),
    ("route", "route"),
)
_noted_values: Final[Callable[[Event], tuple[str, ...]]] = attrgetter(*(attribute for _, attribute in _NOTED))
_SAYS_NONE: Final = frozenset(name for name, rule in RULES.items() if not {attribute for _, attribute in _NOTED}.intersection(rule.carried))
"""Types of events that have no value of any dimension."""
NOTED_KEPT: Final = 10_000
"""Combinations remembered as noted, so that they need not be again."""
SEPARATOR: Final = "\u001f"


class CasesLogic(Logic[CaseRow]):
    """One per partition; owns the levels, shares panes and dimensions with the partition's state."""

    def __init__(self, panes: PaneStore, dimensions: Dimensions) -> None:
        self.rules = CaseRules()
        self.levels = LevelTable()
        self.unsent_cases: dict[str, None] = {}
        self._panes = panes
        self._dimensions = dimensions
        self._noted: set[tuple[str, ...]] = set()

    # -- what the machine asks ----------------------------------------------------------------------

    def adopt(self, body: dict[str, Any], *, changed: bool) -> None:
        """Rules that hold for every record from here on."""
        self.rules = CaseRules.from_body(body, changed=changed)
        self._panes.configure(slow_width(self.rules.zone), self.rules.horizon, fast=self.rules.fast_tier)
        self._noted.clear()
        self._dimensions.configure(self.rules.listed, self.rules.dimension_cap)

    def note(self, record: Event) -> None:
        """Register dimension values in log order."""
        if record.type in _SAYS_NONE or not self._dimensions.open_ended:
            return
        values = _noted_values(record)
        if values in self._noted:
            return
        if len(self._noted) >= NOTED_KEPT:
            self._noted.clear()
        self._noted.add(values)
        for (name, _), value in zip(_NOTED, values, strict=True):
            if value:
                self._dimensions.note(name, value)

    def occurred_at(self, record: Event) -> int:
        return record.occurred_at

    def rewritten(self, keys: Sequence[str]) -> None:
        """Publish these cases again."""
        self.unsent_cases.update(dict.fromkeys(keys))

    def counted_before(self, row: CaseRow | None, record: Event) -> str:
        """A row that is ahead kept the event unless it was a duplicate."""
        known = row.find(record.event_id) if row is not None else None
        if known is None or known[3] == record.origin:
            return "applied"
        return "duplicates"

    def apply(self, key: str, row: CaseRow | None, record: Event, fence: Fence, progress: Progress) -> Decision[CaseRow]:
        """Take an event."""
        if row is None:
            row = CaseRow()
        try:
            taken = take(row, item_of(record), self.rules, self._dimensions)
        except Exception as error:
            raise RecordFailedError(repr(error)) from error
        if not taken.changed:
            return Decision(None, messages=self._refusal(key, taken), counted=taken.refused)
        decision = Decision(row, taken.journal, counted=taken.refused)
        decision.messages = self._refusal(key, taken)
        self._say(key, row, decision, taken.announced, fence, progress)
        return decision

    def wake(self, key: str, row: CaseRow, fence: Fence, progress: Progress) -> Decision[CaseRow]:
        """Let time pass for a row whose timer is due."""
        try:
            journal, over = pass_time(row, progress.watermark, self.rules, self._dimensions)
        except Exception as error:
            row.fold = None
            raise RecordFailedError(repr(error)) from error
        decision = Decision(row, journal, over=over)
        self._say(key, row, decision, [], fence, progress)
        if over:
            self.levels.change(key, row.level, None)
        return decision

    def case_record(self, key: str, row: CaseRow | None, fence: Fence) -> dict[str, Any]:
        """What ``cases`` says of a case; ``fence`` is used for one that is gone."""
        if row is None:
            return case_record(key, None, fence, None)
        return case_record(key, row.warm(self.rules, self._dimensions), row.fence, row.level)

    # -- what follows -----------------------------------------------------------------------------------

    def conclude(self, key: str, row: CaseRow) -> None:
        """The level, and when time next changes anything."""
        fold = row.warm(self.rules, self._dimensions)
        level = level_of(fold, self.rules)
        if level != row.level:
            self.levels.change(key, row.level, level)
            row.level = level
        row.wake_at = next_wake(fold, self.rules)

    def _say(
        self, key: str, row: CaseRow, decision: Decision[CaseRow], announced: list[Announcement], fence: Fence, progress: Progress
    ) -> None:
        fold = row.warm(self.rules, self._dimensions)
        messages = decision.messages
        if announced:
            told = [step for step in announced if not fold.exempt or step[0] == "exempt"]
            messages += [Message("case-events", key, _case_event(key, step)) for step in told]
        judged = fold.judgement(row.settled_to)
        if judged != fold.judged:
            fold.judged = judged
            messages += self._verdicts(key, row, fold, progress)
        if fold.contacts_changed:
            fold.contacts_changed = False
            messages += self._contact_versions(key, row, fold, fence)
        self.unsent_cases[key] = None

    def _refusal(self, key: str, taken: Taken) -> list[Message]:
        if taken.refused != "conflicts" or taken.loser is None:
            return []
        return [Message("dead-letters", key, {"reason": "conflicting_duplicate", "item": taken.loser})]

    def _verdicts(self, key: str, row: CaseRow, fold: CaseFold, progress: Progress) -> list[Message]:
        messages: list[Message] = []
        for clock in (fold.reply_clock, fold.resolution_clock):
            if clock is None:
                continue
            said = row.verdicts.get(clock.metric, UNSAID)
            for kind, revision, then in statements(clock, said, row.settled_to, self.rules.warn_share, exempt=fold.exempt):
                row.verdicts[clock.metric] = then
                messages.append(Message("sla-events", key, body(key, clock, kind, revision, progress.clock, _context(fold, kind))))
        return messages

    def _contact_versions(self, key: str, row: CaseRow, fold: CaseFold, fence: Fence) -> list[Message]:
        now = {} if fold.exempt or not fold.customer else _contacts(fold)
        messages = []
        version = unpack(fence)
        for contact_id, before in row.sent.items():
            after = now.get(contact_id)
            if after is None or after[0] != before[0]:
                messages.append(Message("customer-log", before[0], _version(key, contact_id, before, version, withdrawn=True)))
        for contact_id, after in now.items():
            if row.sent.get(contact_id) != after:
                messages.append(Message("customer-log", after[0], _version(key, contact_id, after, version, withdrawn=False)))
        row.sent = now
        return messages


def _contacts(fold: CaseFold) -> dict[str, Sent]:
    return {
        contact.contact_id: (
            fold.customer,
            contact.opened_at,
            contact.reason if not fold.reclassified_reason else fold.reclassified_reason,
            contact.opening_cell,
            contact.outcome is Outcome.ABANDONED,
            tuple(fold.reopened_at) if contact.contact_id == fold.first_contact else (),
        )
        for contact in fold.contacts.values()
        if contact.opened_at is not None
    }


def _version(case_id: str, contact_id: str, sent: Sent, version: tuple[int, int], *, withdrawn: bool) -> ContactVersion:
    customer, opened_at, reason, cell, abandoned, reopened_at = sent
    return ContactVersion(
        key=f"{case_id}{SEPARATOR}{contact_id}",
        version=version,
        customer_id=customer,
        case_id=case_id,
        contact_id=contact_id,
        opened_at=opened_at,
        cell=cell,
        reason=reason,
        abandoned=abandoned,
        reopened_at=reopened_at,
        withdrawn=withdrawn,
    )


def _context(fold: CaseFold, kind: str) -> dict[str, Any]:
    queue, channel, priority, team = fold.cell
    return {
        "queue": queue,
        "channel": channel,
        "priority": priority,
        "team": team,
        "reason": ("exempt" if fold.exempt else "late_event") if kind == "retracted" else "",
        "alert": not fold.historical,
    }


def _case_event(key: str, step: Announcement) -> dict[str, Any]:
    kind, at, event_id, (queue, channel, priority, team) = step
    return {
        "id": f"{key}:{kind}:{event_id}",
        "case_id": key,
        "kind": kind,
        "occurred_at": at,
        "event_id": event_id,
        "queue": queue,
        "channel": channel,
        "priority": priority,
        "team": team,
    }


def case_record(key: str, fold: CaseFold | None, fence: Fence, level: Level | None) -> dict[str, Any]:
    """The record of ``cases``: the present state of an open case, or that it is over."""
    if fold is None or fold.exempt or fold.status == "closed" or fold.opened_at is None:
        return {"fence": unpack(fence), "deleted": True}
    return {
        "fence": unpack(fence),
        "case_id": key,
        "status": fold.status,
        "opened_at": fold.opened_at,
        "first_reply_at": fold.first_reply_at,
        "first_resolved_at": fold.first_resolved_at,
        "awaiting_since": fold.awaiting_since,
        "queue": fold.queue,
        "channel": fold.channel,
        "priority": fold.priority,
        "team": fold.team,
        "contacts": len(fold.contacts),
        "reopened": len(fold.reopened_at),
        "settled_to": None if fold.settled_to == NEVER else fold.settled_to,
        "clocks": [{"metric": clock[0], "state": clock[1], "due_at": clock[2]} for clock in (level[5] if level else ())],
    }

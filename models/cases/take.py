"""Decides what one more event, or the passing of time, does to a case's row.

An event in order takes one incremental step of the fold; any other recomputes the fold from all items. Both give
the same facts (a property test); the difference to what the row has contributed goes to the panes.
"""

from __future__ import annotations

from models.cases.fold import CaseFold, fold_all
from models.cases.items import OPENED, Item, content_hash
from models.cases.level import AGE_EDGES
from models.cases.row import CaseRow, order
from models.cases.rules import CaseRules
from models.cases.state import UNRESOLVED
from models.panes.dimensions import Cell, Dimensions
from models.panes.facts import Entry, difference, enter, total
from models.progress.watermark import AFTER_EVERYTHING

Announcement = tuple[str, int, str, Cell]
"""(kind, occurred_at, event_id, cell) of a lifecycle step."""


class Taken:
    """``journal``: changes of the facts. ``refused``: reason and the item that does not count."""

    __slots__ = ("announced", "changed", "journal", "loser", "refused")

    def __init__(
        self,
        journal: list[Entry] | None = None,
        announced: list[Announcement] | None = None,
        refused: str = "",
        loser: Item | None = None,
        *,
        changed: bool = True,
    ) -> None:
        self.journal: list[Entry] = [] if journal is None else journal
        self.announced: list[Announcement] = [] if announced is None else announced
        self.refused = refused
        self.loser = loser
        self.changed = changed


def take(row: CaseRow, item: Item, rules: CaseRules, dimensions: Dimensions) -> Taken:
    """Add an event to the row. If anything raises, the row is as it was."""
    known = row.find(item[2])
    if known is not None:
        return _take_second(row, known, item, rules, dimensions)
    if row.size > rules.row_cap:
        return Taken(refused="row_full", loser=item, changed=False)
    if row.unbooked(rules) or (row.items and item[0] <= row.items[-1][0] and order(item) < order(row.items[-1])):
        return _recompute(row, item, None, rules, dimensions)
    fold = row.warm(rules, dimensions)
    if item[0] <= fold.settled_due or (item[1] == OPENED and fold.opened_at is None and row.items):
        return _recompute(row, item, None, rules, dimensions)
    return _step(row, fold, item, rules, dimensions)


def _take_second(row: CaseRow, known: Item, item: Item, rules: CaseRules, dimensions: Dimensions) -> Taken:
    """A second event of one id: the least by (occurred_at, content hash) counts."""
    if known[0] == item[0] and known[1] == item[1] and known[4] == item[4]:
        return Taken(refused="redelivered" if known[3] == item[3] else "duplicates", loser=item, changed=False)
    if (known[0], content_hash(known)) <= (item[0], content_hash(item)):
        return Taken(refused="conflicts", loser=item, changed=False)
    taken = _recompute(row, item, known, rules, dimensions)
    taken.refused = "conflicts"
    taken.loser = known
    return taken


def _step(row: CaseRow, fold: CaseFold, item: Item, rules: CaseRules, dimensions: Dimensions) -> Taken:
    try:
        fold.step(item)
        if item[0] <= row.settled_to:  # late: the facts are always those settled to that instant, also after a recovery
            fold.settle(row.settled_to)
    except BaseException:
        row.fold = None  # half stepped: made again from the items when it is needed
        raise
    if fold.stale:
        row.fold = None
        return _recompute(row, item, None, rules, dimensions)
    row.append(item)
    row.booked = rules
    taken = Taken(_book(row, fold))
    if fold.said < len(fold.announced):
        taken.announced = fold.announced[fold.said :]
        fold.said = len(fold.announced)
    return taken


def _recompute(row: CaseRow, item: Item, instead_of: Item | None, rules: CaseRules, dimensions: Dimensions) -> Taken:
    said = {step[:3] for step in row.warm(rules, dimensions).announced} | row.withdrawn  # one id is said once, whatever its cell is now
    items = sorted([kept for kept in row.items if instead_of is None or kept[2] != instead_of[2]] + [item], key=order)
    fold = fold_all(items, rules, dimensions, row.settled_to)
    if instead_of is not None:
        row.drop(instead_of)
    row.add(item)
    row.fold = fold
    announced = [step for step in fold.announced if step[:3] not in said]
    row.withdrawn = frozenset(said.difference([step[:3] for step in fold.announced]))
    fold.said = len(fold.announced)
    fold.contacts_changed = True
    return Taken(_rebook(row, fold), announced)


def _book(row: CaseRow, fold: CaseFold) -> list[Entry]:
    """Enter the fold's journal into the row's facts."""
    journal, fold.journal = fold.journal, []
    facts = row.facts
    if fold.exempt:
        row.facts = {}
        return [(key, at, cell, -weight) for (key, at, cell), weight in facts.items()]
    enter(journal, facts)
    return journal


def _rebook(row: CaseRow, fold: CaseFold) -> list[Entry]:
    """Replace the row's facts by those of a fold over all items; returns the difference."""
    facts = {} if fold.exempt else total(fold.journal)
    fold.journal = []
    before, row.facts = row.facts, facts
    row.booked = fold.rules
    return difference(before, facts)


def pass_time(row: CaseRow, watermark: int, rules: CaseRules, dimensions: Dimensions) -> tuple[list[Entry], bool]:
    """What the watermark makes certain: changes of the facts, and whether the row is over and can go."""
    unbooked = row.unbooked(rules)
    fold = _whole(row, rules, dimensions) if unbooked else row.warm(rules, dimensions)
    fold.settle(watermark)
    row.settled_to = fold.settled_to
    over_at = _over_at(fold, rules)
    over = over_at <= watermark
    if over and fold.status == "resolved" and fold.opened_at is not None:
        fold.journal.append(("open_cases:resolved", over_at - 1, fold.cell, -1))
    return _rebook(row, fold) if unbooked else _book(row, fold), over


def _whole(row: CaseRow, rules: CaseRules, dimensions: Dimensions) -> CaseFold:
    """The fold with every fact of the row in its journal."""
    row.fold = fold = fold_all(row.items, rules, dimensions, row.settled_to)
    fold.said = len(fold.announced)
    return fold


def _over_at(fold: CaseFold, rules: CaseRules) -> int:
    """When nothing can happen to the case any more; ``AFTER_EVERYTHING`` while it is open or a verdict is due."""
    if fold.exempt:
        return fold.last_at + rules.horizon + 1
    if (fold.opened_at is not None and fold.status in UNRESOLVED) or fold.next_verdict() < AFTER_EVERYTHING:
        return AFTER_EVERYTHING
    return fold.last_at + rules.horizon + 1


def next_wake(fold: CaseFold, rules: CaseRules) -> int:
    """The earliest instant at which the passing of time changes anything about the case."""
    if fold.exempt:
        return fold.last_at + rules.horizon + 1
    wake = fold.next_verdict()
    if wake == AFTER_EVERYTHING:
        wake = _over_at(fold, rules)
    settled_to = fold.settled_to
    for clock in (fold.reply_clock, fold.resolution_clock):
        warn_at = clock.warn_at(rules.warn_share) if clock is not None else None
        if warn_at is not None and settled_to < warn_at < wake:
            wake = warn_at
    opened_at = fold.opened_at
    if opened_at is not None and fold.status in UNRESOLVED:
        for edge in AGE_EDGES:
            if opened_at + edge > settled_to:
                return min(wake, opened_at + edge)
    return wake

"""The row of a case: its events, the facts it has contributed, and what was said about it outside."""

from __future__ import annotations

from bisect import insort
from typing import Final

from models.cases.fold import CaseFold, fold_all
from models.cases.items import Item, size_of
from models.cases.rules import CaseRules
from models.durability.rows import Row
from models.panes.dimensions import Cell, Dimensions
from models.panes.facts import Facts
from models.progress.watermark import NEVER

Sent = tuple[str, int, str, Cell, bool, tuple[int, ...]]
"""What the customer log knows of a contact: (customer_id, opened_at, reason, cell, abandoned, reopened_at)."""

Verdict = tuple[str, int, bool]
"""(kind said last: "", "met" or "breached"; revision; whether at_risk was said in that revision)."""

ClockLevel = tuple[str, int, int, int]
"""(metric, 1 running | 2 at risk | 3 overdue, due_at, warn_at)."""

Level = tuple[Cell, str, int, int, int, tuple[ClockLevel, ...]]
"""(cell, status, age bucket or -1, awaiting since or -1, opened_at, clocks)."""

Step = tuple[str, int, str]
"""(kind, occurred_at, event_id) of a step of a case's life: what a case-event's id is made of."""

FEW: Final = 24  # rows with more items than this look ids up in a set
NOTHING_WITHDRAWN: Final[frozenset[Step]] = frozenset()


class CaseRow(Row):
    """``fold`` is ``None`` for a row that nothing has touched since recovery; it is a function of items and settled_to.

    ``booked`` are the rules by which ``facts`` were made, ``None`` after a recovery. ``withdrawn`` are the steps that were said and
    that events which came later have made not to count: should they count again, they are not said again.
    """

    __slots__ = (
        "_ids",
        "booked",
        "facts",
        "fold",
        "items",
        "level",
        "sent",
        "settled_to",
        "size",
        "verdicts",
        "withdrawn",
    )

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.facts: Facts = {}
        self.booked: CaseRules | None = None
        self.fold: CaseFold | None = None
        self.settled_to = NEVER
        self.level: Level | None = None
        self.sent: dict[str, Sent] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.withdrawn: frozenset[Step] = NOTHING_WITHDRAWN
        self.size = 0
        self._ids: set[str] | None = None

    def find(self, event_id: str) -> Item | None:
        """The item of that id, if the row has one."""
        if len(self.items) > FEW:
            if self._ids is None:
                self._ids = {item[2] for item in self.items}
            if event_id not in self._ids:
                return None
        for item in self.items:
            if item[2] == event_id:
                return item
        return None

    def add(self, item: Item) -> None:
        """Keep an item, in order."""
        insort(self.items, item, key=order)
        self._account_for(item)

    def append(self, item: Item) -> None:
        """Keep an item that comes after all others."""
        self.items.append(item)
        self._account_for(item)

    def _account_for(self, item: Item) -> None:
        self.size += size_of(item)
        if self._ids is not None:
            self._ids.add(item[2])

    def drop(self, item: Item) -> None:
        """Forget an item."""
        self.items.remove(item)
        self.size -= size_of(item)

    def warm(self, rules: CaseRules, dimensions: Dimensions) -> CaseFold:
        """The fold, made again from the items if need be; its journal is empty and all that it announced was said.

        Other rules make it again too, so that a row says the same whether it was in memory when they came or not. Its facts
        follow with its next event or timer (``unbooked``).
        """
        if self.fold is None or self.fold.rules is not rules:
            self.fold = fold_all(self.items, rules, dimensions, self.settled_to)
            self.fold.journal = []
            self.fold.said = len(self.fold.announced)
        return self.fold

    def unbooked(self, rules: CaseRules) -> bool:
        """Whether the facts may be those of other rules, so that all of them are to be made anew."""
        return rules.changed and self.booked is not rules and bool(self.items)


def order(item: Item) -> tuple[int, int, str]:
    """The order of a case's events."""
    return item[:3]

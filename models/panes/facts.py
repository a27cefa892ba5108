"""Facts of a row: what it has contributed to the panes, as a multiset, and how two of them differ."""

from __future__ import annotations

from models.panes.dimensions import Cell

FactKey = tuple[str, int, Cell]
"""(key, instant in ms, cell)."""
Facts = dict[FactKey, int]
Entry = tuple[str, int, Cell, int]
"""(key, instant in ms, cell, weight): a change of the facts."""


def total(journal: list[Entry]) -> Facts:
    """The facts that a journal adds up to."""
    facts: Facts = {}
    enter(journal, facts)
    return facts


def enter(journal: list[Entry], facts: Facts) -> None:
    """Add a journal to facts in place; what adds up to zero is no fact."""
    for key, at, cell, weight in journal:
        fact = (key, at, cell)
        amount = facts.get(fact, 0) + weight
        if amount:
            facts[fact] = amount
        else:
            facts.pop(fact, None)


def difference(before: Facts, after: Facts) -> list[Entry]:
    """The changes that lead from one set of facts to another."""
    changes: list[Entry] = [(*fact, weight - before.get(fact, 0)) for fact, weight in after.items() if weight != before.get(fact, 0)]
    changes += [(*fact, -weight) for fact, weight in before.items() if fact not in after]
    return changes


def entries(facts: Facts) -> list[Entry]:
    """Facts as the entries that make them."""
    return [(*fact, weight) for fact, weight in facts.items()]

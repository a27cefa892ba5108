"""Levels of all partitions, merged into groups: sums, and minima for instants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from models.panes.pane import Pane, merge, remove
from models.rollup.groups import Groups
from models.rollup.records import Cell, Fence, LevelRecord, PartitionKey

INSTANT: Final = "_at"
SOONEST: Final = 10


class Levels:
    """The newest level record of every partition. A record replaces all that its partition said before."""

    def __init__(self, groups: Groups, partitions: int) -> None:
        self._groups = groups
        self._partitions = partitions
        self._fences: dict[PartitionKey, Fence] = {}
        self._cells: dict[PartitionKey, dict[Cell, Pane]] = {}
        self._next: dict[PartitionKey, list[dict[str, object]]] = {}
        self._sums: dict[int, Pane] = {}
        self._instants: dict[int, dict[tuple[PartitionKey, Cell], Pane]] = {}
        self.changed: set[int] = set()

    def replace(self, key: PartitionKey, record: LevelRecord) -> bool:
        """Take a record; false for one that is not newer."""
        if key in self._fences and record.fence <= self._fences[key]:
            return False
        first = key not in self._fences
        self._fences[key] = record.fence
        self._next[key] = record.next
        former = self._cells.get(key, {})
        present: dict[Cell, Pane] = dict(record.cells)
        for cell in former.keys() | present.keys():
            old, new = former.get(cell, {}), present.get(cell, {})
            if old != new:
                self._change(key, cell, old, new)
        self._cells[key] = present
        if first:
            self._heard_first()
        return True

    def complete(self) -> bool:
        """Every partition has been heard: a level that nobody speaks of is zero, not unknown."""
        return len(self._fences) >= self._partitions

    def _heard_first(self) -> None:
        if self.complete():
            total = self._groups.find({})
            self.changed.update(self._sums if total is None else {*self._sums, total})

    def _change(self, key: PartitionKey, cell: Cell, old: Pane, new: Pane) -> None:
        new_instants = {name: at for name, at in new.items() if name.endswith(INSTANT)}
        for group in self._groups.of(cell):
            sums = self._sums.setdefault(group, {})
            remove(sums, {name: n for name, n in old.items() if not name.endswith(INSTANT)})
            merge(sums, {name: n for name, n in new.items() if not name.endswith(INSTANT)})
            of_group = self._instants.setdefault(group, {})
            of_group.pop((key, cell), None)
            if new_instants:
                of_group[key, cell] = new_instants
            self.changed.add(group)

    def of(self, group: int) -> Pane:
        """All levels of a group: sums, and the earliest of the instants."""
        pane = dict(self._sums.get(group, {}))
        for instants in self._instants.get(group, {}).values():
            for name, at in instants.items():
                if name not in pane or at < pane[name]:
                    pane[name] = at
        return pane

    def groups_with_instants(self) -> Iterable[int]:
        """Groups in which something grows with the clock."""
        return (group for group, found in self._instants.items() if found)

    def next_to_breach(self) -> list[dict[str, object]]:
        """The earliest due of all partitions."""
        items = [item for of_partition in self._next.values() for item in of_partition]
        items.sort(key=_urgency)
        return items[:SOONEST]


def _urgency(item: dict[str, object]) -> tuple[int, str, str]:
    due = item.get("due_at")
    return (due if isinstance(due, int) else 1 << 62, str(item.get("case_id")), str(item.get("metric")))

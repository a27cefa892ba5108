"""Which groups a cell belongs to: one for every grouping set."""

from __future__ import annotations

from collections.abc import Mapping

from models.rollup.records import Cell
from models.rollup.settings import DIMENSIONS

Labels = dict[str, str]


class Groups:
    """Small numbers for groups. The same labels always have the same number within one object."""

    def __init__(self, grouping_sets: tuple[tuple[str, ...], ...]) -> None:
        self._sets = tuple(dict.fromkeys(tuple(name for name in DIMENSIONS if name in names) for names in grouping_sets))
        self._places = tuple(tuple(DIMENSIONS.index(name) for name in names) for names in self._sets)
        self._numbers: dict[tuple[tuple[str, str], ...], int] = {}
        self._of_cell: dict[Cell, tuple[int, ...]] = {}
        self.labels: list[Labels] = []

    def of(self, cell: Cell) -> tuple[int, ...]:
        """Numbers of the groups that the cell counts in."""
        found = self._of_cell.get(cell)
        if found is None:
            found = tuple(self._number(tuple((DIMENSIONS[place], cell[place]) for place in places)) for places in self._places)
            self._of_cell[cell] = found
        return found

    def find(self, labels: Mapping[str, str]) -> int | None:
        """The number of a published group; ``None`` when its dimensions are no grouping set (any more)."""
        names = tuple(name for name in DIMENSIONS if name in labels)
        if len(names) != len(labels) or names not in self._sets:
            return None
        return self._number(tuple((name, labels[name]) for name in names))

    def _number(self, labels: tuple[tuple[str, str], ...]) -> int:
        number = self._numbers.get(labels)
        if number is None:
            number = self._numbers[labels] = len(self.labels)
            self.labels.append(dict(labels))
        return number

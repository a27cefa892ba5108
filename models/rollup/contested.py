"""Rows whose records do not stand in the order of their revisions: readers of the last and of the greatest one see different things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Row = TypeVar("Row")


class Contested(Generic[Row]):
    """A row is contested from a record that does not follow the one before it, until a greater revision is read or published."""

    def __init__(self) -> None:
        self._rows: set[Row] = set()

    def __contains__(self, row: Row) -> bool:
        return row in self._rows

    def read(self, row: Row, revision: int, greatest: int, *, same: bool) -> bool:
        """A record was read, after others of the row up to the revision ``greatest`` (0: none): whether it holds.

        ``same``: it says what the one says that holds.
        """
        if revision > greatest:
            self._rows.discard(row)
        elif revision < greatest or not same:
            self._rows.add(row)
        return revision >= greatest

    def settle(self, row: Row) -> None:
        """The row was published with a greater revision than all before."""
        self._rows.discard(row)

    def forget(self, gone: Callable[[Row], bool]) -> None:
        """Drop the rows that are gone."""
        self._rows = {row for row in self._rows if not gone(row)}

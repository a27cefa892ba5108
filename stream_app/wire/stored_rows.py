"""Rows as they stand in the changelogs."""

from __future__ import annotations

from typing import Any

import msgspec

from models.cases.row import NOTHING_WITHDRAWN, Level, Sent, Step, Verdict
from models.events.canonical import ContactVersion
from models.panes.dimensions import Cell

StoredFact = tuple[str, int, int | Cell, int]
"""(key, instant, number of its cell, weight); rows of version 0 hold the cell itself."""


class StoredCase(msgspec.Struct, array_like=True):
    """A case. Each cell of its facts stands once, in ``cells``. ``withdrawn`` is absent where it is empty."""

    wake_at: int
    settled_to: int
    level: Level | None
    size: int
    items: list[tuple[int, int, str, str, list[Any]]]
    facts: list[StoredFact]
    sent: dict[str, Sent]
    verdicts: dict[str, Verdict]
    cells: list[Cell] = []
    withdrawn: frozenset[Step] = NOTHING_WITHDRAWN


class StoredCustomer(msgspec.Struct, array_like=True):
    """A customer."""

    wake_at: int
    settled_to: int
    contacts: list[ContactVersion]
    facts: list[tuple[str, int, Cell, int]]

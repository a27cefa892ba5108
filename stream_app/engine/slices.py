"""Cutting a fetched batch into steps that the event loop can breathe between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.ports import Record


def in_slices(records: Sequence[Record], size: int, first_offset: int = 0) -> Iterator[Sequence[Record]]:
    """The records at or after ``first_offset``, at most ``size`` at a time."""
    if records and records[0].offset < first_offset:
        records = [record for record in records if record.offset >= first_offset]
    for start in range(0, len(records), size):
        yield records[start : start + size]

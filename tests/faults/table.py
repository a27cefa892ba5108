"""The table of a run, as lines and as a page."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from stream_app.brokers.kafka_jars import KAFKA_VERSION
from tests.faults.run import NOT_RUN
from tests.faults.scene import Case, Outcome

HEADER = """# Faults

What was done to real workers and a real Kafka under load, and what the figures were afterwards. Written by `make faults`; one case:
`python -m tests.faults NAME`. What each fault means for a consumer stands in [guarantees.md](guarantees.md).

"""
ABOUT = """
No.: in the order of the list in [guarantees.md](guarantees.md). Events: of the load, which thins out but does not end before the
faults are over. Standstill: the longest time without newer figures on the output topic while there was load. Differences: published KPI rows
that are not what SQL computes from the events sent; beside it how many were compared. Each run also compares every record (distinct
by id and content) of `case-events` and `sla-events` with an uninterrupted run in memory over the same canonical log, every breach with the truth, and accounts
for every record sent (in the log, dead letter or progress) and counted (applied, duplicate, conflict, too late, full). A case with any
problem is marked **wrong**. Breaches taken back belong to cases that later left the count (merged, cancelled, spam) or got another due time; but for events behind
what their senders had declared (9), none was false.
"""
COLUMNS = ("No.", "Fault", "Workers", "Events", "Faults", "Seconds", "Standstill s", "Differences", "Note")


def cells(outcome: Outcome) -> tuple[str, ...]:
    """One row."""
    case = outcome.case
    if outcome.note.startswith(NOT_RUN):
        return case.number, case.fault, "", "", "", "", "", "", outcome.note
    differences = "–" if outcome.differences is None else f"{outcome.differences} of {outcome.rows:,}"
    note = outcome.note if outcome.ok else f"**wrong**: {outcome.problems[0].splitlines()[0]} {outcome.note}"
    return (
        case.number,
        case.fault,
        str(case.workers),
        f"{outcome.sent:,}",
        str(outcome.faults),
        f"{outcome.seconds:.0f}",
        f"{outcome.standstill:.1f}",
        differences,
        note,
    )


def not_played(case: Case) -> tuple[str, ...]:
    """The row of a case that is not among the results."""
    return case.number, case.fault, str(case.workers), *[""] * 5, f"not played in this run; `python -m tests.faults {case.name}`"


def line(outcome: Outcome) -> str:
    """One row for a terminal, with all that is wrong."""
    text = " | ".join((outcome.case.name, *cells(outcome)[2:]))
    return "\n    ".join((("ok    " if outcome.ok else "WRONG ") + text, *outcome.problems))


def remember(outcome: Outcome, path: Path) -> None:
    """Add a row to a file of results; the last one of a case counts."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"name": outcome.case.name, "ok": outcome.ok, "cells": cells(outcome)}) + "\n")


def recalled(path: Path) -> dict[str, tuple[str, ...]]:
    """Rows by the names of their cases."""
    lines = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return {row["name"]: tuple(row["cells"]) for row in lines}


def write_page(found: Iterable[tuple[str, ...]], path: Path) -> None:
    """The page with the table."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *found]
    table = "".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in rows)
    path.write_text(HEADER + machine() + "\n\n" + table + ABOUT, encoding="utf-8")


def machine() -> str:
    """What it ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}) shared with Kafka, the load and the checks, {memory:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}, Apache Kafka {KAFKA_VERSION}."
    )

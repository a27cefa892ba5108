"""``python -m stream_app.topics_reference PAGE``: writes the tables of all topics into their reference page."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from stream_app.settings import Settings
from stream_app.settings.durations import format_duration
from stream_app.topics import DEFAULT_PREFIX, TopicSpec, specs_of

MARKED = re.compile(r"(<!-- begin: topics (\w+)[^\n]*-->\n\n).*?(\n<!-- end -->)", flags=re.DOTALL)
_HEAD = "| Topic | Partitions | Cleanup | Key | Holds |\n|---|---|---|---|---|\n"


class Words(NamedTuple):
    """What the specification of a topic does not say: for whom it is (``in``, ``out``, ``inside``), its key, what it holds."""

    whose: str
    key: str
    holds: str


INPUT = Words("in", "any", "Events as JSON. Any type may come in any of them; more inputs by configuration")
WORDS = {
    "kpis": Words("out", "`[kpi, window, group]`", "The current value of every KPI, window and group"),
    "kpi-windows": Words("out", "`[kpi, window, group, window_start]`", "Final rows of hours and days, with revision"),
    "case-events": Words("out", "case id", "What happened to cases, after validation and without duplicates"),
    "sla-events": Words("out", "case id", "`at_risk`, `breached`, `met`, `retracted`, each with a stable id"),
    "cases": Words("out", "case id", "Current state of each open case"),
    "dead-letters": Words(
        "out",
        "of the input",
        "What could not be accepted: original bytes; headers say reason, field and origin. A record with the header `deskpulse-replayed` "
        "is a note of what was replayed",
    ),
    "events": Words("inside", "case id", "The canonical log: accepted events, progress marks, definitions"),
    "customer-log": Words("inside", "customer id", "Whole contacts from Cases to Customers, with marks of their own"),
    "panes": Words("inside", "processor, partition, tier, slice, cell", "Accumulators, levels and status, cumulative"),
    "cases-changelog": Words("inside", "opaque", "State of Cases for recovery, as MessagePack: rows, panes of the slow tier, a marker"),
    "customers-changelog": Words("inside", "opaque", "The same of Customers"),
}


def in_step(page: str) -> str:
    """The page with the tables as they should be. Raises ``KeyError`` for a topic that has no words here."""
    return MARKED.sub(lambda table: f"{table[1]}{topics_table(table[2])}{table[3]}", page)


def topics_table(whose: str) -> str:
    """The topics ``in``, ``out`` or ``inside``, with the default settings."""
    rows = ((spec, _words(spec)) for spec in specs_of(Settings()))
    return _HEAD + "".join(_row(spec, words) for spec, words in rows if words.whose == whose)


def _words(spec: TopicSpec) -> Words:
    return WORDS[spec.name.removeprefix(f"{DEFAULT_PREFIX}.")] if spec.ours else INPUT


def _row(spec: TopicSpec, words: Words) -> str:
    return f"| `{spec.name}` | {_partitions(spec)} | {_cleanup(spec)} | {words.key} | {words.holds} |\n"


def _partitions(spec: TopicSpec) -> str:
    if not spec.ours:
        return f"any; made with {spec.partitions}"
    return "P" if spec.partitions > 1 else "1"


def _cleanup(spec: TopicSpec) -> str:
    if spec.config["cleanup.policy"] == "compact":
        return "compact"
    return f"delete after {format_duration(timedelta(milliseconds=int(spec.config['retention.ms'])))}"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(in_step(page.read_text()))

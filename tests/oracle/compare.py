"""Published rows against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from tests.oracle.truth import GROUPS, SQL, Window

RECORD = (
    "STRUCT(kpi VARCHAR, value DOUBLE, numerator DOUBLE, denominator DOUBLE, n BIGINT, low DOUBLE, high DOUBLE,"
    ' "window" VARCHAR, window_start BIGINT, window_end BIGINT, "group" STRUCT(queue VARCHAR, channel VARCHAR,'
    " priority VARCHAR, team VARCHAR, route VARCHAR), watermark BIGINT, clock BIGINT, state VARCHAR, revision BIGINT,"
    " excluded DOUBLE, since BIGINT)"
)
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One published row that is not the truth: ``what`` is missing, extra, not final, or the field that differs."""

    what: str
    kpi: str
    window: str
    starts: int
    group: dict[str, str]
    wanted: tuple[float | None, ...]
    found: tuple[float | None, ...]

    def __str__(self) -> str:
        where = " ".join(f"{name}={value}" for name, value in self.group.items()) or "all"
        return f"{self.what:11} {self.kpi} [{self.window} {self.starts}] {where}: wanted {self.wanted}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows of the truth were compared and which differ."""

    rows: int
    differences: list[Difference]
    by_kpi: dict[str, int]


def load_published(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Lines ``{"topic", "o": offset, "r": record}`` into the table ``published_line``."""
    connection.execute(
        "CREATE OR REPLACE TABLE published_line AS SELECT topic, o, r FROM read_json(?, format='newline_delimited',"
        f" columns={{topic: 'VARCHAR', o: 'BIGINT', r: '{RECORD}'}}, maximum_object_size=20000000)",
        [str(path)],
    )


def write_published(records: Iterable[tuple[str, Mapping[str, object]]], path: Path) -> None:
    """Records with their logical topic in the form that ``load_published`` reads."""
    with path.open("w", encoding="utf-8") as file:
        for offset, (topic, record) in enumerate(records):
            file.write(json.dumps({"topic": topic, "o": offset, "r": record}) + "\n")


def live_windows(clock: int, zone: str, *, fast: bool) -> list[Window]:
    """The live windows at the log's clock (ms): sliding ones end with its slice of 10 s, the others with its hour
    (quarter, where the zone is off the full hour); they go back 7 or 28 days, or to the midnight before."""
    local = datetime.fromtimestamp(clock / 1000, ZoneInfo(zone))
    midnight = int(local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()) * 1000
    offset = local.utcoffset()
    slow = HOUR_MS if offset is not None and offset.total_seconds() % 3600 == 0 else HOUR_MS // 4
    end, sliding_end = (clock // slow + 1) * slow, (clock // 10_000 + 1) * 10_000
    windows = [Window("today", midnight, end), Window("7d", end - 7 * 24 * HOUR_MS, end), Window("28d", end - 28 * 24 * HOUR_MS, end)]
    if fast:
        windows += [Window(f"{minutes}m", sliding_end - minutes * 60_000, sliding_end) for minutes in (5, 15, 30, 60)]
    return windows


def compare(connection: duckdb.DuckDBPyConnection, *, live: bool, limit: int = 20) -> Comparison:
    """Compare the tables ``truth`` and ``published_line``; ``live`` windows only where they were asked for."""
    connection.execute("SET VARIABLE live = ?::BOOLEAN", [live])
    connection.execute((SQL / "95_compare.sql").read_text(encoding="utf-8"))
    by_kpi = connection.execute("SELECT kpi, count(*) FROM difference GROUP BY ALL ORDER BY 2 DESC").fetchall()
    counted = connection.execute("SELECT count(*) FROM expected").fetchone()
    first = connection.execute(
        "SELECT what, kpi, time_window, starts, grouping, queue, channel, priority, route, wanted, wanted_numerator,"
        " wanted_denominator, found, found_numerator, found_denominator FROM difference"
        " QUALIFY row_number() OVER (PARTITION BY kpi ORDER BY grouping DESC, time_window DESC, starts) <= 3"
        " ORDER BY grouping DESC, time_window DESC, kpi LIMIT ?",
        [limit],
    ).fetchall()
    return Comparison(counted[0] if counted else 0, [_difference(row) for row in first], dict(by_kpi))


def _difference(row: tuple[Any, ...]) -> Difference:
    what, kpi, window, starts, grouping, queue, channel, priority, route, *numbers = row
    cell = {"queue": queue, "channel": channel, "priority": priority}
    group = {name: str(cell[name]) for name in GROUPS[int(str(grouping))]}
    if route:
        group["route"] = str(route)
    return Difference(
        str(what),
        str(kpi),
        str(window),
        int(str(starts)),
        group,
        tuple(numbers[:3]),
        tuple(numbers[3:]),
    )

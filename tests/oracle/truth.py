"""The truth: every KPI of every closed zone-day and of chosen windows, by SQL over the input events."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tests.oracle.kpi_names import (
    FORMULAS,
    Age,
    Count,
    Formula,
    Level,
    Percentile,
    Ratio,
    RouteCount,
    RouteRatio,
    Survey,
)

SQL = Path(__file__).parent / "sql"
DAY_MS = 86_400_000
FAR = 9_000_000_000_000_000
Z = 1.96
GROUPS = {7: (), 3: ("queue",), 5: ("channel",), 6: ("priority",), 1: ("queue", "channel")}
"""SQL's GROUPING(queue, channel, priority) -> the dimensions of the grouping set."""


class Key(NamedTuple):
    """What a published row is about; ``starts`` is ``None`` for windows without bounds (now, span)."""

    kpi: str
    window: str
    starts: int | None
    group: tuple[tuple[str, str], ...]


class Row(NamedTuple):
    """One KPI as it must be published."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    excluded: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A window [starts, ends) in epoch milliseconds."""

    name: str
    starts: int
    ends: int


SPAN = Window("span", -FAR, FAR)
NOW = Window("now", -FAR, FAR)


def prepare(connection: duckdb.DuckDBPyConnection, body: Mapping[str, Any], watermark: int, zone: str | None = None) -> None:
    """Set the parameters of the SQL: the definitions' body and the final watermark (ms)."""
    connection.execute("SET TimeZone = 'UTC'")
    sla = body.get("sla", {})
    dimensions = body.get("dimensions", {})
    variables = {
        "watermark": watermark,
        "horizon": round(body.get("horizon_s", 3_024_000) * 1000),
        "zone": zone or body.get("zone", "UTC"),
        "queued_channels": list(body.get("queued_channels", ["phone", "chat"])),
        "service_level_target": round(body.get("service_level_target_s", 20) * 1000),
        "short_abandon": round(body.get("short_abandon_s", 5) * 1000),
        "repeat_window": round(body.get("repeat_window_d", 7) * DAY_MS),
        "reopen_window": round(body.get("reopen_window_d", 7) * DAY_MS),
        "pause_statuses": list(sla.get("pause_statuses", [])),
        "warn_percent": sla.get("warn_percent", 75),
        **{f"listed_{name}": dimensions.get(name) for name in ("queue", "channel", "priority", "route")},
    }
    for name, value in variables.items():
        connection.execute(f"SET VARIABLE {name} = ?::{_sql_type(value, name)}", [value])
    connection.execute("CREATE OR REPLACE TABLE sla_target (metric VARCHAR, priority VARCHAR, target BIGINT)")
    targets = [
        (metric, priority, round(seconds * 1000))
        for metric, by_priority in sla.get("targets", {}).items()
        for priority, seconds in by_priority.items()
    ]
    if targets:
        connection.executemany("INSERT INTO sla_target VALUES (?, ?, ?)", targets)


def _sql_type(value: object, name: str) -> str:
    if isinstance(value, list) or name.startswith("listed_"):
        return "VARCHAR[]"
    return "VARCHAR" if isinstance(value, str) else "BIGINT"


def build_facts(connection: duckdb.DuckDBPyConnection) -> None:
    """Events (table ``raw``) -> facts and levels. ``prepare`` comes first."""
    for script in sorted(SQL.glob("[0-8]*.sql")):
        connection.execute(script.read_text(encoding="utf-8"))


def build_windows(connection: duckdb.DuckDBPyConnection, windows: Iterable[Window] = (SPAN,), *, hours: bool = False) -> None:
    """Facts -> sums per closed zone-day (and hour), per given window, and the levels now."""
    connection.execute("SET VARIABLE hours = ?::BOOLEAN", [hours])
    connection.execute("CREATE OR REPLACE TABLE span_window (time_window VARCHAR, starts BIGINT, ends BIGINT)")
    for window in {*windows, NOW}:
        connection.execute("INSERT INTO span_window VALUES (?, ?, ?)", [window.name, window.starts, window.ends])
    connection.execute((SQL / "90_windows.sql").read_text(encoding="utf-8"))
    _widen(connection)


def build_truth(
    connection: duckdb.DuckDBPyConnection, formulas: Mapping[str, Formula] = FORMULAS, *, hourly: Container[str] = frozenset()
) -> None:
    """Sums -> table ``truth``, a row per KPI, window and group with data; an age is given as its instant (ms).

    ``hourly``: the KPIs that have rows per hour.
    """
    connection.execute(
        "CREATE OR REPLACE TABLE truth (kpi VARCHAR, time_window VARCHAR, starts BIGINT, grouping BIGINT, queue VARCHAR,"
        " channel VARCHAR, priority VARCHAR, route VARCHAR, value DOUBLE, numerator DOUBLE, denominator DOUBLE, n BIGINT,"
        " low DOUBLE, high DOUBLE, excluded DOUBLE, tolerance DOUBLE)"
    )
    for kpi, formula in formulas.items():
        wanted = "', '".join(sorted(formula.windows if kpi in hourly else formula.windows - {"hour"}))
        tolerance = 0.01 if isinstance(formula, Percentile) else 0 if isinstance(formula, Age) else 1e-9
        connection.execute(f"INSERT INTO truth SELECT '{kpi}', *, {tolerance} FROM ({select(formula)}) WHERE time_window IN ('{wanted}')")


def rows(connection: duckdb.DuckDBPyConnection) -> dict[Key, Row]:
    """The table ``truth`` as a mapping."""
    found: dict[Key, Row] = {}
    for kpi, window, starts, grouping, queue, channel, priority, route, *values in connection.execute(
        "SELECT * EXCLUDE (tolerance) FROM truth"
    ).fetchall():
        cell = {"queue": queue, "channel": channel, "priority": priority}
        group = [(name, cell[name]) for name in GROUPS[grouping]] + ([("route", route)] if route else [])
        bounded = None if window in ("span", "now") else starts
        found[Key(kpi, window, bounded, tuple(sorted(group)))] = Row(*values)
    return found


_KEYS = "time_window, starts, grouping, queue, channel, priority"
_NONE = "NULL AS numerator, NULL AS denominator, NULL AS n, NULL AS low, NULL AS high, NULL AS excluded"


def select(formula: Formula) -> str:
    """The SQL of a formula: window, group, route, value, numerator, denominator, n, low, high, excluded."""
    match formula:
        case Count(value) | RouteCount(value):
            table = "wide_route" if isinstance(formula, RouteCount) else "wide"
            used = " OR ".join(f'"{name}" <> 0' for name in _names(value))
            return f"SELECT {_KEYS}, route, {value} AS value, {_NONE} FROM {table} WHERE {used}"
        case Ratio(numerator, denominator):
            return _ratio("wide", numerator, denominator, formula.excluded)
        case RouteRatio(numerator, denominator):
            return _ratio("wide_route", numerator, denominator, "NULL")
        case Percentile(name, quantile):
            return (
                f"SELECT {_KEYS}, '' AS route, seconds[{1 if quantile == 0.5 else 2}] AS value, NULL, NULL, n, NULL, NULL, NULL"
                f" FROM percentile WHERE name = '{name}'"
            )
        case Level(names) if names[0].startswith("open_cases"):
            listed = "', '".join(names)
            return (
                f"SELECT {_KEYS}, '' AS route, sum(total) AS value, {_NONE} FROM balance_at WHERE name IN ('{listed}')"
                " GROUP BY ALL HAVING sum(total) <> 0"
            )
        case Level(names):
            listed = "', '".join(names)
            return (
                "SELECT 'now' AS time_window, 0 AS starts, grouping, queue, channel, priority, '' AS route, sum(total) AS value,"
                f" {_NONE} FROM level_total WHERE name IN ('{listed}') GROUP BY ALL"
            )
        case Age(name):
            return (
                "SELECT 'now' AS time_window, 0 AS starts, grouping, queue, channel, priority, '' AS route,"
                f" total AS value, {_NONE} FROM level_total WHERE name = '{name}'"
            )
        case Survey(shape, numerator, responses):
            return _survey(shape, numerator, responses)


def _ratio(table: str, numerator: str, denominator: str, excluded: str) -> str:
    return (
        f"SELECT {_KEYS}, route, CASE WHEN below <> 0 THEN above / below END AS value, above AS numerator, below AS denominator,"
        f" NULL AS n, NULL AS low, NULL AS high, excluded FROM (SELECT *, {numerator} AS above, {denominator} AS below,"
        f" {excluded} AS excluded FROM {table}) WHERE above <> 0 OR below <> 0"
    )


def _survey(shape: str, numerator: str, responses: str) -> str:
    value = {"share": "above / n", "nps": "100 * above / n", "mean": "above / n"}[shape]
    low, high = {
        "share": (
            f"(above / n + {Z**2} / (2 * n) - {Z} * sqrt(above / n * (1 - above / n) / n + {Z**2} / (4 * n * n))) / (1 + {Z**2} / n)",
            f"(above / n + {Z**2} / (2 * n) + {Z} * sqrt(above / n * (1 - above / n) / n + {Z**2} / (4 * n * n))) / (1 + {Z**2} / n)",
        ),
        "nps": (
            f'100 * above / n - {Z} * 100 * sqrt((("nps_promoters" + "nps_detractors") / n - (above / n) ** 2) / n)',
            f'100 * above / n + {Z} * 100 * sqrt((("nps_promoters" + "nps_detractors") / n - (above / n) ** 2) / n)',
        ),
        "mean": ("NULL", "NULL"),
    }[shape]
    return (
        f"SELECT {_KEYS}, route, CASE WHEN n >= 10 THEN {value} END AS value, above AS numerator, n AS denominator, n AS responses,"
        f" CASE WHEN n >= 10 THEN {low} END AS low, CASE WHEN n >= 10 THEN {high} END AS high, NULL AS excluded"
        f" FROM (SELECT *, {numerator} AS above, {responses} AS n FROM wide_route) WHERE n > 0"
    )


def _names(*expressions: str) -> list[str]:
    return sorted({name for text in expressions for name in re.findall(r'"([^"]+)"', text)})


def _widen(connection: duckdb.DuckDBPyConnection) -> None:
    """Sums of one window and group side by side: wide (no route) and wide_route."""
    for table, routed in (("wide", False), ("wide_route", True)):
        columns = ", ".join(
            f"coalesce(max(total) FILTER (name = '{name}'), 0) AS \"{name}\"" for name in _names(*_expressions(routed=routed))
        )
        condition = "route <> ''" if routed else "route = ''"
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {_KEYS}, route, {columns} FROM total WHERE {condition} GROUP BY ALL")


def _expressions(*, routed: bool) -> Iterator[str]:
    for formula in FORMULAS.values():
        match formula:
            case Count(value) if not routed:
                yield value
            case Ratio(numerator, denominator) if not routed:
                yield from (numerator, denominator, formula.excluded)
            case RouteCount(value) if routed:
                yield value
            case RouteRatio(numerator, denominator) if routed:
                yield from (numerator, denominator)
            case Survey(_, numerator, responses) if routed:
                yield from (numerator, responses)
                if formula.shape == "nps":
                    yield '"nps_promoters" "nps_detractors"'

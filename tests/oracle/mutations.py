"""Would the comparison notice a wrong formula? Every entry of the catalogue is changed in every small way there is,
evaluated from the recorded panes of a run, and must then differ from the truth somewhere.

Each mutant stands under a KPI id of its own beside a copy of its original's truth, so one comparison judges them all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from models.catalogue import registry
from models.catalogue.entry import Kpi
from models.catalogue.formulas import Age, Count, Formula, Level, Mean, Percentile, Ratio
from models.catalogue.registry import CATALOGUE, evaluate
from models.catalogue.survey_formulas import MeanScore, NetPromoter, WilsonShare
from models.panes.pane import Nested, Pane, merge, nested
from models.panes.windows import day_bounds
from tests.oracle.compare import compare, load_published, write_published

DIMENSIONS = ("queue", "channel", "priority")
SETS = ((), ("queue",), ("channel",), ("priority",), ("queue", "channel"))
Group = tuple[tuple[str, str], ...]


class Merged(NamedTuple):
    """One window of one group, as Rollup would hand it to a formula."""

    window: str
    starts: int | None
    group: Group
    pane: Nested


def mutants(formula: Formula) -> Iterator[Formula]:
    """The formula with one thing changed."""
    match formula:
        case Count(plus, minus):
            yield Count(("resolved",) if plus[0] != "resolved" else ("opened",), minus)
            yield Count((*plus, "opened"), minus)
            yield from (Count(without, minus) for without in _drop(plus))
            yield from (Count(plus, without) for without in (*_drop(minus), ()) if minus)
            if minus:
                yield Count((*plus, *minus))
                yield Count(minus, plus)
        case Ratio():
            yield from _ratios(formula)
        case Percentile(name, q):
            yield from (Percentile(name, other) for other in (0.5, 0.9, 0.95) if other != q)
            yield Percentile("first_reply" if name != "first_reply" else "first_resolution", q)
        case Mean(total, number_of):
            yield Mean(total, "offered")
            yield Mean("handle_time_ms" if total != "handle_time_ms" else "speed_of_answer_ms", number_of)
        case Level(name, of):
            yield from (Level(name, without) for without in _drop(of))
            yield Level("backlog" if name != "backlog" else "age", ("open",) if name != "backlog" else ("older",))
            if len(of) == 1 and name != "backlog":
                yield Level(name, ("resolution" if of[0] != "resolution" else "first_reply",))
        case Age(since):
            yield Age("oldest_open_at" if since != "oldest_open_at" else "oldest_awaiting_at")
        case WilsonShare(hits, responses):
            yield WilsonShare(responses, responses)
            yield WilsonShare(hits, hits)
        case NetPromoter(promoters, detractors, responses):
            yield NetPromoter(detractors, promoters, responses)
            yield NetPromoter(promoters, promoters, responses)
            yield NetPromoter(promoters, detractors, promoters)
        case MeanScore(total, responses):
            yield MeanScore(responses, responses)
            yield MeanScore(total, total)
        case _:
            raise TypeError(f"no mutants known for {type(formula).__name__}")


def _ratios(formula: Ratio) -> Iterator[Ratio]:
    yield replace(formula, numerator=formula.denominator, denominator=formula.numerator)
    yield replace(formula, numerator=formula.denominator)
    yield replace(formula, denominator=formula.numerator)
    yield replace(formula, denominator=(*formula.denominator, "opened"))
    yield replace(formula, numerator=(*formula.numerator, "opened"))
    for name in ("numerator", "denominator", "less_numerator", "less_denominator", "excluded", "less_excluded"):
        keys: tuple[str, ...] = getattr(formula, name)
        yield from (replace(formula, **{name: without}) for without in _drop(keys))
    if formula.excluded:
        yield replace(formula, excluded=formula.denominator, less_excluded=())


def _drop(keys: Sequence[str]) -> list[tuple[str, ...]]:
    """Every way to leave one out, if there is more than one."""
    return [tuple(key for key in keys if key != left) for left in keys] if len(keys) > 1 else []


def all_mutants() -> list[Kpi]:
    """Every mutant of every entry, under ids ``<kpi>~<number>``; routed counts get a routed key in place of a plain one."""
    return [
        replace(kpi, id=f"{kpi.id}~{number}", formula=_routed(mutant, kpi.formula) if kpi.per_route else mutant)
        for kpi in CATALOGUE
        for number, mutant in enumerate(mutants(kpi.formula))
    ]


def _routed(formula: Formula, original: Formula) -> Formula:
    """Plain keys have no routes: a mutant of a routed KPI takes another survey's key."""
    swap = {"opened": "csat_responses", "resolved": "nps_responses"}
    if isinstance(formula, Count):
        swap["resolved"] = "ces_responses" if original == Count(("nps_responses",)) else "nps_responses"
        return Count(tuple(swap.get(key, key) for key in formula.plus), formula.minus)
    if isinstance(formula, Ratio):
        return replace(
            formula,
            numerator=tuple(swap.get(key, key) for key in formula.numerator),
            denominator=tuple(swap.get(key, key) for key in formula.denominator),
        )
    return formula


def merged_panes(lines: Iterable[dict[str, Any]], zone: str) -> Iterator[Merged]:
    """Span and now of every group, and every day of the total, from recorded ``panes`` records."""
    sums: dict[tuple[str, int | None, Group], Pane] = {}
    levels: dict[Group, Pane] = {}
    bases: dict[Group, Pane] = {}
    for line in lines:
        kind, value = line["key"][0], line["value"]
        if value.get("deleted"):
            continue
        if kind == "p" and line["key"][3] == "slow":
            _, _, _, _, start, cell = line["key"]
            for group in _groups(cell):
                merge(sums.setdefault(("span", None, group), {}), value["facts"])
            merge(sums.setdefault(("day", day_bounds(start, zone)[0], ()), {}), value["facts"])
        elif kind == "l":
            _merge_levels(levels, bases, value)
    yield from _days(sums, bases, zone)
    for group, pane in levels.items():
        yield Merged("now", None, group, nested(pane))


def _merge_levels(levels: dict[Group, Pane], bases: dict[Group, Pane], value: dict[str, Any]) -> None:
    for cell, found in value.get("cells", []):
        for group in _groups(cell):
            into = levels.setdefault(group, {})
            for name, amount in found.items():
                earliest = name.startswith("oldest") and name in into
                into[name] = min(into[name], amount) if earliest else into.get(name, 0) + amount
    for cell, found in value.get("base", []):
        for group in _groups(cell):
            merge(bases.setdefault(group, {}), found)


def _days(sums: dict[tuple[str, int | None, Group], Pane], bases: dict[Group, Pane], zone: str) -> Iterator[Merged]:
    """Windows with their balance, everything up to their end; a day without facts has one too."""
    for (window, _, group), pane in sums.items():
        if window == "span":
            balance: Pane = dict(bases.get(group, {}))
            merge(balance, _balances(pane))
            yield Merged(window, None, group, _with_backlog(pane, balance))
    starts = sorted(start for _, start, _ in sums if start is not None)
    standing: Pane = dict(bases.get((), {}))
    at = starts[0]
    while at <= starts[-1]:
        pane = sums.get(("day", at, ()), {})
        merge(standing, _balances(pane))
        yield Merged("day", at, (), _with_backlog(pane, standing))
        at = day_bounds(at, zone)[1]


def _with_backlog(pane: Pane, balance: Pane) -> Nested:
    found = nested(pane)
    found["backlog"] = {key.removeprefix("open_cases:"): amount for key, amount in balance.items()}
    return found


def _balances(pane: Pane) -> Pane:
    return {key: amount for key, amount in pane.items() if key.startswith("open_cases:")}


def _groups(cell: Sequence[str]) -> Iterator[Group]:
    for names in SETS:
        yield tuple((name, cell[DIMENSIONS.index(name)]) for name in names)


def records(merged: Iterable[Merged], kpis: Sequence[Kpi]) -> Iterator[tuple[str, dict[str, object]]]:
    """What a pipeline with these formulas would publish."""
    by_window = {name: [kpi for kpi in kpis if name in kpi.windows] for name in ("span", "day", "now")}
    for window, starts, group, pane in merged:
        for kpi, route, value in evaluate(by_window[window], pane):
            labels = {**dict(group), **({"route": route} if route else {})}
            fields = {name: getattr(value, name) for name in ("value", "numerator", "denominator", "n", "low", "high", "excluded", "since")}
            yield (
                "kpis" if window == "now" else "kpi-windows",
                {"kpi": kpi.id, "window": window, "window_start": starts, "group": labels, "state": "final", "revision": 1, **fields},
            )


def judge(capture: Path, kpis: Sequence[Kpi]) -> dict[str, int]:
    """Differences per KPI id of these entries, from one recorded run; the truth of ``x~1`` is that of ``x``."""
    zone = (capture / "zone").read_text().strip()
    with (capture / "panes.jsonl").open(encoding="utf-8") as file:
        merged = list(merged_panes((json.loads(line) for line in file), zone))
    lines = capture / "mutants.jsonl"
    write_published(records(merged, kpis), lines)
    with duckdb.connect() as connection:
        load_published(connection, lines)
        connection.execute("CREATE TABLE wanted (id VARCHAR, original VARCHAR)")
        connection.executemany("INSERT INTO wanted VALUES (?, ?)", [(kpi.id, kpi.id.split("~", maxsplit=1)[0]) for kpi in kpis])
        connection.execute(
            f"CREATE TABLE truth AS SELECT w.id AS kpi, t.* EXCLUDE (kpi) FROM read_parquet('{capture / 'truth.parquet'}') AS t"
            " JOIN wanted AS w ON w.original = t.kpi WHERE time_window IN ('span', 'now') OR (time_window = 'day' AND grouping = 7)"
        )
        connection.execute("CREATE TABLE time_window AS SELECT DISTINCT time_window, starts FROM truth")
        connection.execute("CREATE TABLE total AS SELECT *, '' AS name FROM truth LIMIT 0")
        return compare(connection, live=False).by_kpi


def survivors(captures: Sequence[Path]) -> tuple[list[Kpi], dict[str, int]]:
    """Mutants that no capture noticed, and unchanged formulas that differ somewhere (there must be none)."""
    changed = all_mutants()
    registry._NAMES.update({kpi.id: registry._entries(kpi) for kpi in changed})
    noticed: set[str] = set()
    wrong: dict[str, int] = {}
    for capture in captures:
        wrong |= judge(capture, CATALOGUE)
        noticed |= judge(capture, changed).keys()
    return [kpi for kpi in changed if kpi.id not in noticed], wrong


def report(captures: Sequence[Path]) -> int:
    """Print what survived; 1 when a mutant did in all captures, or an unchanged formula differs."""
    left, wrong = survivors(captures)
    sys.stdout.write(f"{len(all_mutants())} mutants of {len(CATALOGUE)} formulas, {len(left)} survived; unchanged that differ: {wrong}\n")
    for kpi in left:
        sys.stdout.write(f"  survived: {kpi.id}: {kpi.formula}\n")
    return 1 if left or wrong else 0

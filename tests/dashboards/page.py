"""A dashboard's answers as a plain page of tables: no Grafana, but its panels, queries, units and order."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from tests.dashboards.asking import Chosen, Json, Series, filled_in

MOST_SERIES = 12
NOT_AVAILABLE = "n/a"
STYLE = """
body { margin: 0; padding: 14px; width: 1212px; background: #fff; color: #222; font: 13px 'Liberation Sans', sans-serif; }
h1 { margin: 0; font-size: 19px; } p { margin: 2px 0 8px; color: #555; } h2 { margin: 10px 0 4px; font-size: 14px; }
section { display: grid; grid-template-columns: repeat(24, 1fr); gap: 6px; }
article { border: 1px solid #ccc; padding: 5px 7px; overflow: hidden; } h3 { margin: 0 0 3px; font-size: 12px; color: #555; }
table { width: 100%; border-collapse: collapse; } td { padding: 0; } td + td { text-align: right; white-space: nowrap; font-weight: bold; }
"""
Answers = Mapping[int, Sequence[tuple[Json, Sequence[Series]]]]
"""Per panel id each target with its series."""


def page(dashboard: Json, answers: Answers, chosen: Chosen) -> str:
    """The whole page."""
    body: list[str] = []
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            body.append(f"</section><h2>{escape(panel['title'])}</h2><section>")
        else:
            body.append(_panel(panel, answers[panel["id"]], chosen))
    shown = ", ".join(f"{name} = {value}" for name, value in chosen.items() if name != "datasource")
    head = f"<h1>{escape(dashboard['title'])}</h1><p>{escape(dashboard['description'])} Simulated traffic; {escape(shown)}</p><section>"
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{head}{''.join(body)}</section></body>"


def _panel(panel: Json, answers: Sequence[tuple[Json, Sequence[Series]]], chosen: Chosen) -> str:
    rows = [(_name(target["legendFormat"], series), _value(panel, series.value)) for target, found in answers for series in found]
    more = [("…", f"{len(rows) - MOST_SERIES} more")] if len(rows) > MOST_SERIES else []
    cells = "".join(f"<tr><td>{escape(name)}<td>{escape(value)}" for name, value in [*rows[:MOST_SERIES], *more] or [("", NOT_AVAILABLE)])
    title = escape(filled_in(panel["title"], chosen))
    return f'<article style="grid-column: span {panel["gridPos"]["w"]}"><h3>{title}</h3><table>{cells}</table></article>'


def _name(legend: str, series: Series) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: series.labels.get(match[1], ""), legend).strip()


def _value(panel: Json, value: float) -> str:
    for mapping in panel["fieldConfig"]["defaults"]["mappings"]:
        text = mapping["options"].get(f"{value:g}", {}).get("text") if mapping["type"] == "value" else None
        if text is not None:
            return str(text)
    return NOT_AVAILABLE if math.isnan(value) else _UNITS[panel["fieldConfig"]["defaults"]["unit"]](value)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _seconds(value: float) -> str:
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if value >= size:
            return f"{value / size:.1f} {name}"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def _instant(value: float) -> str:
    return datetime.fromtimestamp(value / 1000, UTC).strftime("%H:%M:%S UTC")


_UNITS: Mapping[str, Callable[[float], str]] = {
    "short": _short,
    "s": _seconds,
    "percentunit": lambda value: f"{100 * value:.1f} %",
    "cps": lambda value: f"{value:,.1f} /s",
    "bytes": lambda value: f"{value / 2**20:,.0f} MiB",
    "dateTimeAsIsoNoDateIfToday": _instant,
}

"""Dashboards as the JSON that Grafana reads (schema 42, of Grafana 12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stream_app.dashboards.content import Dashboard, Goal, Panel, Query, Row
from stream_app.dashboards.variables import DATASOURCE, DATASOURCE_VARIABLE, variable_json, variables_for

SCHEMA_VERSION = 42
TAG = "deskpulse"
COLUMNS = 24
HEIGHTS = {"stat": 4, "timeseries": 8}
NOT_AVAILABLE = "n/a"
_PLAIN = {"mode": "absolute", "steps": [{"color": "text", "value": None}]}


def uid(dashboard: Dashboard) -> str:
    """The same for ever: links and bookmarks hold it."""
    return f"deskpulse-{dashboard.name}"


def dashboard_json(dashboard: Dashboard) -> dict[str, Any]:
    """The whole file."""
    used = variables_for([text for panel in dashboard.panels() for text in _texts(panel)])
    return {
        "annotations": {"list": []},
        "description": dashboard.description,
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [_links()],
        "panels": list(_placed(dashboard.rows)),
        "preload": False,
        "refresh": "10s",
        "schemaVersion": SCHEMA_VERSION,
        "tags": [TAG],
        "templating": {"list": [variable_json(variable) for variable in (DATASOURCE_VARIABLE, *used)]},
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m", "5m"]},
        "timezone": "browser",
        "title": dashboard.title,
        "uid": uid(dashboard),
        "version": 1,
        "weekStart": "",
    }


def _texts(panel: Panel) -> Iterator[str]:
    yield panel.title
    yield from (query.expression for query in panel.queries)


def _links() -> dict[str, Any]:
    """To the other dashboards, with what is chosen in this one."""
    return {
        "type": "dashboards",
        "title": "Deskpulse",
        "tags": [TAG],
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _placed(rows: tuple[Row, ...]) -> Iterator[dict[str, Any]]:
    """Panels from left to right and top to bottom, numbered in that order."""
    number, y = 0, 0
    for row in rows:
        number += 1
        yield {"type": "row", "id": number, "title": row.title, "collapsed": False, "panels": [], "gridPos": _place(0, y, COLUMNS, 1)}
        x, y, lowest = 0, y + 1, y + 1
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, lowest
            number += 1
            height = HEIGHTS[panel.kind]
            yield _panel(panel, number, _place(x, y, panel.width, height))
            x, lowest = x + panel.width, max(lowest, y + height)
        y = lowest


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    named = [(f"Q{number}", query) for number, query in enumerate(panel.queries, 1)]
    stat = panel.kind == "stat"
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "noValue": NOT_AVAILABLE,
        "color": {"mode": "thresholds" if stat else "palette-classic"},
        "mappings": _mappings(panel),
        "thresholds": _PLAIN,
    }
    if not stat:
        defaults["custom"] = _LINES
    return {
        "type": panel.kind,
        "id": number,
        "title": panel.title,
        "description": panel.description,
        "datasource": dict(DATASOURCE),
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": [_goal(name, query.goal, stat=stat) for name, query in named if query.goal]},
        "options": _STAT if stat else _TIME_SERIES,
        "targets": [_target(name, query, instant=stat) for name, query in named],
    }


def _target(name: str, query: Query, *, instant: bool) -> dict[str, Any]:
    """A present value is asked for as of now, so that one that is gone is not shown any more."""
    return {
        "refId": name,
        "datasource": dict(DATASOURCE),
        "editorMode": "code",
        "expr": query.expression,
        "legendFormat": query.legend,
        "instant": instant,
        "range": not instant,
    }


def _mappings(panel: Panel) -> list[dict[str, Any]]:
    absent = {"type": "special", "options": {"match": "null+nan", "result": {"index": 0, "text": NOT_AVAILABLE}}}
    if not panel.texts:
        return [absent]
    options = {value: {"index": index, "text": text, "color": colour} for index, (value, text, colour) in enumerate(panel.texts, 1)}
    return [absent, {"type": "value", "options": options}]


def _goal(name: str, goal: Goal, *, stat: bool) -> dict[str, Any]:
    below, above = ("orange", "green") if goal.better == "higher" else ("green", "orange")
    steps = [{"color": below, "value": None}, {"color": above, "value": goal.value}]
    drawn = [] if stat else [{"id": "custom.thresholdsStyle", "value": {"mode": "dashed"}}]
    properties = [{"id": "thresholds", "value": {"mode": "absolute", "steps": steps}}, *drawn]
    return {"matcher": {"id": "byFrameRefID", "options": name}, "properties": properties}


_LINES: dict[str, Any] = {
    "drawStyle": "line",
    "lineInterpolation": "stepAfter",
    "lineWidth": 1,
    "fillOpacity": 0,
    "showPoints": "never",
    "spanNulls": False,
    "insertNulls": False,
    "axisSoftMin": 0,
    "thresholdsStyle": {"mode": "off"},
}
_TIME_SERIES: dict[str, Any] = {
    "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["last"]},
    "tooltip": {"mode": "multi", "sort": "desc"},
}
_STAT: dict[str, Any] = {
    "reduceOptions": {"calcs": ["last"], "fields": "", "values": False},
    "colorMode": "value",
    "graphMode": "none",
    "justifyMode": "auto",
    "orientation": "auto",
    "textMode": "auto",
    "wideLayout": True,
}

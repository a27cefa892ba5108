"""Every log call at warning or above has a stable name, and ``docs/reference/log-messages.md`` says what it means."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/log-messages.md"
LOUD = {"warning": "warning", "warn": "warning", "error": "error", "exception": "error", "critical": "critical", "fatal": "critical", "log": "error"}
"""Methods of a logger that may write at warning or above, and the level; ``log`` is taken for an error."""
ROW = re.compile(r"^\| `(?P<event>[a-z_]+)` \| (?P<level>warning|error|critical) \|", re.MULTILINE)

Said = tuple[str, str]
"""(event, level)."""


def loud_calls(code: str, where: str) -> Iterator[tuple[str, Said]]:
    """Place, event and level of every log call at warning or above; the event is empty where none is named."""
    tree = ast.parse(code)
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and (event := _event_in(node.value)):
            named[node.targets[0].id] = event
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOUD and _is_logger(node.func.value):
            extra = next((keyword.value for keyword in node.keywords if keyword.arg == "extra"), None)
            event = named.get(extra.id, "") if isinstance(extra, ast.Name) else _event_in(extra)
            yield f"{where}:{node.lineno}", (event, LOUD[node.func.attr])


def _is_logger(value: ast.expr) -> bool:
    """``logger``, ``self.log``, ``logging``, ``logging.getLogger(…)``."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Attribute) and value.func.attr == "getLogger"
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name.strip("_") in {"logger", "log", "logging"}


def _event_in(extra: ast.expr | None) -> str:
    """The constant ``event`` of a dictionary that is written out."""
    if not isinstance(extra, ast.Dict):
        return ""
    for key, value in zip(extra.keys, extra.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "event" and isinstance(value, ast.Constant):
            return str(value.value)
    return ""


def calls() -> list[tuple[str, Said]]:
    files = [path for folder in ("models", "agents", "stream_app") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [call for path in files for call in loud_calls(path.read_text(), str(path.relative_to(ROOT)))]


def on_the_page() -> set[Said]:
    return {(row["event"], row["level"]) for row in ROW.finditer(PAGE.read_text())}


def test_every_line_at_warning_or_above_has_a_name() -> None:
    assert [place for place, (event, _) in calls() if not event] == []


def test_the_page_names_every_one_and_none_that_is_gone() -> None:
    said = {said for _, said in calls()}
    assert said - on_the_page() == set(), "not on the page"
    assert on_the_page() - said == set(), "gone from the code"


def test_the_page_is_in_order() -> None:
    events = [row["event"] for row in ROW.finditer(PAGE.read_text())]
    assert events == sorted(set(events))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('logger.warning("x", extra={"event": "late"})', [("late", "warning")]),
        ('logger.warning("x")', [("", "warning")]),
        ('self.log.error("x", extra={"other": 1, "event": "gone"})', [("gone", "error")]),
        ('about = {"event": "ended", "code": 1}\nlogger.critical("x", extra=about)', [("ended", "critical")]),
        ('logging.getLogger("a").exception("x", extra=unknown())', [("", "error")]),
        ('logger.log(level, "x", extra={"event": "ended"})', [("ended", "error")]),
        ('logger.info("x")\nclick.echo("x")\nparser.error("x")', []),
    ],
)
def test_calls_are_found_whatever_their_form(code: str, said: list[Said]) -> None:
    assert [found for _, found in loud_calls(code, "here.py")] == said

"""The rules and example configurations in ``prometheus/`` as data, and the same with short durations for a live test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "prometheus"
RULE_FILES = sorted((FOLDER / "rules").glob("*.yml"))
TEST_FILES = sorted((FOLDER / "tests").glob("*.yml"))

FASTER = 60
"""``shortened`` divides by this: minutes become seconds."""

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)\b")
_RANGE_OR_OFFSET = re.compile(r"\[[^\]]*\]|\boffset \w+")
_DURATION_KEYS = {"for", "keep_firing_for", "scrape_interval", "evaluation_interval", "group_wait", "group_interval", "repeat_interval"}


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def rules() -> list[dict[str, Any]]:
    """Every rule of every file."""
    return [rule for file in RULE_FILES for group in load(file)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Alerting rules by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def constant(record: str) -> dict[str, float]:
    """The values of a threshold by metric; the only one under an empty name."""
    found = [rule for rule in rules() if rule.get("record") == record]
    return {rule.get("labels", {}).get("metric", ""): float(rule["expr"].removeprefix("vector(").removesuffix(")")) for rule in found}


def alertmanager_telling(address: str) -> Any:
    """The example for Alertmanager, shortened, with its receivers at this address."""
    text = (FOLDER / "alertmanager.yml").read_text().replace("alert-receiver:8080", address)
    return shortened(yaml.safe_load(text))


def milliseconds(duration: str) -> int:
    """Of a duration with one unit, as they stand in the files; 0 for none."""
    return sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


def shortened(part: Any) -> Any:
    """A document in which nothing lasts as long: every waiting time and interval, and every range and offset in an expression.

    Names, labels (``window="60m"``) and the numbers that expressions compare with stay.
    """
    if isinstance(part, list):
        return [shortened(entry) for entry in part]
    if isinstance(part, dict):
        return {key: _shortened_entry(key, value) for key, value in part.items()}
    return part


def _shortened_entry(key: str, value: Any) -> Any:
    if key in _DURATION_KEYS:
        return _shorter(value)
    if key == "expr":
        return _RANGE_OR_OFFSET.sub(lambda found: _shorter(found[0]), value)
    return shortened(value)


def _shorter(text: str) -> str:
    return _DURATION.sub(lambda found: f"{max(1, milliseconds(found[0]) // FASTER)}ms", text)

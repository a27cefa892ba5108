"""Mappings of a few lines, and the examples on the pages about them."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from models.events.rejection import RejectedError
from stream_app.mapping.file import parse_rules
from stream_app.mapping.rules import Rules
from stream_app.settings import SettingsError

ROOT = Path(__file__).parents[2]
BASICS = 'case_id = "id"\noccurred_at = "at"\n'
"""The fields that the event of ``MESSAGE`` can not do without."""
MESSAGE: dict[str, Any] = {"id": 7, "at": "2026-03-02T09:14:05Z"}


def one_event(fields: str, top: str = "", type_name: str = "contact.opened", rule: str = "") -> Rules:
    """A mapping whose only rule holds always and makes one event."""
    return parse_rules(f'{top}\n[[rules]]\n{rule}\n[[rules.emit]]\ntype = "{type_name}"\n{BASICS}{fields}', "m.toml")


def event_of(rules: Rules, **message: object) -> dict[str, Any]:
    """What ``MESSAGE`` with these members becomes: a single event."""
    (event,) = rules.events(MESSAGE | message)
    return event


def types_of(rules: Rules, **message: object) -> list[str]:
    return [event["type"] for event in rules.events(MESSAGE | message)]


def rejection_of(rules: Rules, **message: object) -> tuple[str, str, str]:
    with pytest.raises(RejectedError) as refused:
        rules.events(MESSAGE | message)
    return refused.value.reason, refused.value.field, refused.value.detail


def problems_of(text: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse_rules(text, "m.toml")
    return [str(problem) for problem in refused.value.problems]


def page_blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of that kind on a page in docs/how-to."""
    text = (ROOT / "docs/how-to" / page).read_text()
    return [dedent(block) for block in re.findall(rf"^ *```{kind}\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL)]

"""The pages for people: links lead somewhere, commands exist, examples are accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream_app.cli.assembly import GROUPS
from stream_app.settings import parse_settings
from stream_app.wire.decoder import decode

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = {listed.name for group in GROUPS.values() for listed in group}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_name_exist(page: Path) -> None:
    named = re.findall(r"(?:^    |`|&& )deskpulse (?:--config \S+ )?([a-z][\w-]+)", page.read_text(), flags=re.MULTILINE)
    assert set(named) <= COMMANDS


def test_the_configuration_on_the_page_of_the_board_is_sound() -> None:
    page = (ROOT / "docs/how-to/show-the-board.md").read_text()
    lines = re.findall(r"^    ((?:\[|\w+ = ).*)$", page, flags=re.MULTILINE)
    assert parse_settings("\n".join(lines)).board.goals == {"service_level": 0.8}


def test_the_events_on_the_page_about_sending_are_accepted() -> None:
    page = (ROOT / "docs/how-to/send-events.md").read_text()
    examples = re.findall(r"^ {4,}(\{.*?\}\n)", page.replace(",\n     ", ", "), flags=re.MULTILINE)
    assert len(examples) == 4
    for example in examples:
        decode(example.encode(), 1_772_500_000_000, "contacts-0@0")

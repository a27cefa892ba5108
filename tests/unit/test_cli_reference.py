"""The reference page of all commands is in step with them."""

from __future__ import annotations

from pathlib import Path

from stream_app.cli.reference import command_line_markdown

PAGE = Path(__file__).parents[2] / "docs/reference/command-line.md"


def test_the_command_line_page_is_in_step() -> None:
    expected = command_line_markdown()
    assert PAGE.read_text() == expected, "run: make reference"

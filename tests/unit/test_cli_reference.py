"""The page of the command line is what the commands say of themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/reference/command-line.md"


def test_the_command_line_page_is_in_step() -> None:
    """In a process of its own: a command remembers the help option of whoever called it first."""
    written = subprocess.run([sys.executable, "-m", "stream_app.cli.reference"], capture_output=True, check=True, timeout=60)
    assert PAGE.read_bytes() == written.stdout, "run: make reference"

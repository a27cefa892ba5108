"""Programs that stand on a page, run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Self

PAGES = Path(__file__).parents[2] / "docs"


def program_on(page: str) -> str:
    """The only Python program on a page of ``docs``."""
    (found,) = re.findall(r"^```python\n(.*?)^```$", (PAGES / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return str(found)


class RunningProgram:
    """A program in a folder, until the end of the block. ``lines`` is what it has printed."""

    def __init__(self, page: str, folder: Path, *arguments: str) -> None:
        self._file = folder / "program.py"
        self._file.write_text(program_on(page), encoding="utf-8")
        self._folder, self._arguments = folder, arguments
        self._output = folder / "output"

    def __enter__(self) -> Self:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", self._file, *self._arguments], cwd=self._folder, stdout=output, stderr=subprocess.STDOUT
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def lines(self) -> list[str]:
        """Whole lines so far. Raises ``AssertionError`` with all of them if the program has ended."""
        text = self._output.read_text(encoding="utf-8")
        assert self._process.poll() is None, text
        return text[: text.rfind("\n") + 1].splitlines()

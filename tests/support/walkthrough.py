"""A page of the documentation as something to carry out: its commands, the files it has one write, and what it says they print.

How a page marks it, and how a reader sees it:

- a block ``sh``: commands that end. In a folder of the page's own, all of them in the order of the page;
- a block ``sh`` with a title, such as ``second terminal``: goes on until the end of the page, and then gets Ctrl-C;
- a block with a title in any other language: a file of that name;
- a block ``text`` after a block of commands: lines that it prints. ``…`` stands for anything.

Any other block is refused, so that nothing on a page goes untried by mistake.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import eventually

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', flags=re.MULTILINE | re.DOTALL)
SHELL = ("bash", "-eo", "pipefail", "-c")
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Block:
    """A fenced block, with the lines that it is said to print if it is one of commands."""

    language: str
    title: str
    text: str
    shown: tuple[str, ...] = ()


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page in its order. Raises ``ValueError`` for one that is none of the kinds above."""
    found: list[Block] = []
    for language, title, text in BLOCK.findall(page):
        if language == "text" and found and found[-1].language == "sh" and not found[-1].shown:
            found[-1] = Block("sh", found[-1].title, found[-1].text, tuple(text.splitlines()))
        elif language == "sh" or (title and language != "text"):
            found.append(Block(language, title, text))
        else:
            raise ValueError(f"neither commands, nor a file, nor what the block above prints:\n{text}")
    return found


def missing_lines(shown: tuple[str, ...], printed: str) -> list[str]:
    """The lines shown that were not printed, however many spaces are in them."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    return [line for line in shown if line.strip() and not any(re.fullmatch(_pattern(line), other) for other in lines)]


def _pattern(shown: str) -> str:
    return ".*".join(re.escape(part) for part in " ".join(shown.split()).split("…"))


@dataclass
class Walkthrough:
    """Carries blocks out in a folder, in which ``environment`` holds. ``instead``: what a page says, and what takes its place here."""

    folder: Path
    environment: Mapping[str, str]
    instead: Mapping[str, str]
    _terminals: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ctrl-C in every terminal, the last one first."""
        self._terminals.close()

    def follow(self, block: Block) -> None:
        """Write the file or run the commands; fails where they fail, or do not print what is shown.

        Commands with something to show are repeated until they show it: numbers take a moment to arrive.
        """
        text, shown = self._here(block.text), tuple(map(self._here, block.shown))
        if block.language != "sh":
            (self.folder / block.title).write_text(text)
        elif block.title:
            log = self.folder / f"{block.title}.log"
            self._terminals.enter_context(self._terminal(text, log))
            _wait_for(shown, log.read_text)
        elif shown:
            _wait_for(shown, lambda: self._run(text).stdout)
        else:
            done = self._run(text)
            assert done.returncode == 0, f"{text}\n{done.stdout}"

    def _here(self, text: str) -> str:
        there = "|".join(map(re.escape, self.instead)) or "(?!)"
        return re.sub(there, lambda found: self.instead[found[0]], text)

    def _run(self, commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SHELL, commands],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    @contextmanager
    def _terminal(self, commands: str, log: Path) -> Iterator[None]:
        with log.open("wb") as out:
            # A session of its own: Ctrl-C reaches the shell and what it runs, and nobody else.
            process = subprocess.Popen(
                [*SHELL, commands],
                cwd=self.folder,
                env=dict(self.environment),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield
            assert process.poll() is None, f"ended by itself:\n{log.read_text()}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            code = process.wait(PATIENCE_SECONDS)
        assert code == 0, f"after Ctrl-C:\n{log.read_text()}"


def _wait_for(shown: tuple[str, ...], printed: Callable[[], str]) -> None:
    seen = ""

    def all_there() -> bool:
        nonlocal seen
        seen = printed()
        return not missing_lines(shown, seen)

    try:
        eventually(all_there, within_seconds=PATIENCE_SECONDS)
    except AssertionError:
        raise AssertionError("\n".join(["not printed:", *missing_lines(shown, seen), "", "but:", seen])) from None

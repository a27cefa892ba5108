"""Our own commands as child processes: started with a log file each, watched, stopped by their ids."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 12.0
TAIL_LINES = 15


class ChildEndedError(Exception):
    """A command ended that should have gone on; the message holds the end of its log."""


@dataclass
class Child:
    """One running command."""

    name: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def log_tail(self) -> str:
        lines = self.log_file.read_text(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "(it said nothing)"


@dataclass
class Children:
    """All commands of one demonstration. Their logs stay in ``directory``."""

    directory: Path
    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, arguments: Sequence[str]) -> Child:
        """Starts ``deskpulse <arguments>`` in a session of its own: a Ctrl-C at the terminal reaches only us, and we stop in order."""
        log_file = self.directory / f"{name}.log"
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "stream_app.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        child = Child(name, process, log_file)
        self.children.append(child)
        return child

    def check(self) -> None:
        """Raises ``ChildEndedError`` when one of them has ended."""
        for child in self.children:
            if not child.running:
                message = f"the {child.name} ended with code {child.process.returncode}. The end of {child.log_file}:\n{child.log_tail()}"
                raise ChildEndedError(message)

    def stop(self) -> list[str]:
        """SIGTERM to all, the last started first; SIGKILL to those that do not end in time, whose names are returned."""
        for child in reversed(self.children):
            if child.running:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        killed = [child.name for child in reversed(self.children) if not _ended(child, deadline)]
        self.children.clear()
        return killed


def _ended(child: Child, deadline: float) -> bool:
    """Waits for the end until ``deadline``; after that the child is killed and the answer is false."""
    try:
        child.process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
        return False
    return True

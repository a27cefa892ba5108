"""What a contender's process is told, and how it says what it took. Standard library only, as ``job``."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from typing import Self

from bench.process import cpu_seconds, peak_mib

TOLD = "told"


@dataclass(frozen=True)
class Task:
    """One run. ``name`` is the run's own: for groups, changelogs and state; ``directory`` outlives a crash, for stores on disk.

    ``checkpoint_seconds`` is for everyone who has such a setting. ``tell_at``: records after which the process says so.
    ``restarted``: this process goes on after a crash, so it shall not wait for a number of events but go on until it is stopped.
    """

    bootstrap: str
    input: str
    output: str
    events: int
    name: str
    directory: str
    checkpoint_seconds: float = 1.0
    tell_at: int = 0
    restarted: bool = False

    @classmethod
    def given(cls) -> Self:
        """From the command line of this process."""
        return cls(**json.loads(sys.argv[1]))

    def argument(self) -> str:
        return json.dumps(asdict(self))


class Stopwatch:
    """From the first record in the program's hands to the last one handled; CPU and memory are this process's own."""

    def __init__(self, task: Task) -> None:
        self.handled = 0
        self._wanted = task.events if not task.restarted else 1 << 62
        self._tell_at = task.tell_at
        self._began: tuple[float, float] | None = None

    def start(self) -> None:
        """The first record is in the program's hands; where that cannot be seen, its engine starts."""
        if self._began is None:
            self._began = time.perf_counter(), cpu_seconds(os.getpid())

    def count(self, records: int = 1) -> bool:
        """More records were handled; answers whether these were the last ones."""
        self.start()
        before = self.handled
        self.handled += records
        if before < self._tell_at <= self.handled:
            say(TOLD)
        return self.handled >= self._wanted

    def stop(self) -> None:
        """Everything that counts is done: say what it took."""
        assert self._began is not None
        pid = os.getpid()
        began, cpu = self._began
        figures = {
            "events": self.handled,
            "seconds": time.perf_counter() - began,
            "cpu_seconds": cpu_seconds(pid) - cpu,
            "peak_mib": peak_mib(pid),
        }
        say(json.dumps(figures))


def say(line: str) -> None:
    """A line to whoever started this process, past the standard output that Faust puts its log in place of."""
    stream = sys.__stdout__ or sys.stdout
    stream.write(line + "\n")
    stream.flush()

"""Worker processes of one run: started, killed at random, started again; any end of their own accord is a failure."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

TAIL_LINES = 30


class WorkerFailedError(Exception):
    """A worker ended without being asked to; the message holds the end of its log."""


class WorkerPool:
    """``count`` workers on one configuration."""

    def __init__(self, configuration: Path, directory: Path, count: int) -> None:
        self.configuration = configuration
        self.directory = directory
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self.kills = 0

    def start(self) -> None:
        for number in range(len(self.processes)):
            self._start(number)

    def _start(self, number: int) -> None:
        command = [sys.executable, "-m", "stream_app.cli", "--config", str(self.configuration), "worker"]
        with self._log(number).open("ab") as log:
            self.processes[number] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def _log(self, number: int) -> Path:
        return self.directory / f"worker-{number}.log"

    def check(self) -> None:
        """Raises ``WorkerFailedError``."""
        for number, process in enumerate(self.processes):
            if process is not None and process.poll() is not None:
                lines = self._log(number).read_text(errors="replace").splitlines()[-TAIL_LINES:]
                raise WorkerFailedError(f"worker {number} ended with {process.returncode}:\n" + "\n".join(lines))

    async def kill_at_random(self, times: int, chance: random.Random, *, least: float = 2.0, most: float = 6.0) -> None:
        """SIGKILL one worker at a time, at intervals of ``least`` to ``most`` seconds, and start it again."""
        for _ in range(times):
            await asyncio.sleep(chance.uniform(least, most))
            number = chance.randrange(len(self.processes))
            process = self.processes[number]
            assert process is not None
            self.processes[number] = None
            process.kill()
            process.wait()
            self.kills += 1
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            self._start(number)

    def stop(self) -> list[int]:
        """SIGTERM to all; returns their exit codes."""
        running = [process for process in self.processes if process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        return [self._end(process) for process in running]

    def _end(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

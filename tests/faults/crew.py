"""Worker processes that come and go as a case wants; an end that nobody asked for is a failure."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import msgspec

from tests.faults.seams import Seam
from tests.faults.waiting import until
from tests.oracle.workers import TAIL_LINES, WorkerFailedError

_ADDRESS = re.compile(r"metrics on (http://\S+)/metrics")
_ROOT = Path(__file__).parents[2]


class Worker:
    """One process, its log and its web server."""

    def __init__(self, number: int, configuration: Path, environment: Mapping[str, str], seam: Seam | None) -> None:
        self.number = number
        self.log_file = configuration.parent / f"worker-{number}.log"
        self.expected: set[int] | None = None
        self.started = time.monotonic()
        self.peak_bytes = 0
        weak = ["tests.faults.seams", msgspec.json.encode(seam).decode()] if seam else ["stream_app.cli"]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *weak, "--config", str(configuration), "worker"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=_ROOT,
                env={**os.environ, **environment},
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    async def fetch(self, path: str) -> tuple[int, str]:
        """Status and body of a request to its web server; (0, "") while it does not answer."""
        found = _ADDRESS.search(self.log)
        if found is None:
            return 0, ""
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session, session.get(found[1] + path) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""

    async def ready(self, within: float = 60.0) -> float:
        """Wait for ``/readyz``; answers the seconds since its start. Raises ``TimeoutError``, ``WorkerFailedError``."""
        async with asyncio.timeout(within):
            while (await self.fetch("/readyz"))[0] != 200:
                if not self.alive:
                    raise WorkerFailedError(f"worker {self.number} ended with {self.process.returncode}:\n{self.tail()}")
                await asyncio.sleep(0.05)
        return time.monotonic() - self.started

    async def says(self, words: str, within: float = 60.0) -> None:
        """Wait for words in its log. Raises ``TimeoutError``."""
        try:
            await until(lambda: words in self.log, within)
        except TimeoutError as error:
            raise TimeoutError(f"worker {self.number} never said {words!r}:\n{self.tail()}") from error

    async def ended(self, *codes: int, within: float = 60.0) -> float:
        """Wait for an end with one of these codes; answers the seconds waited. Raises ``TimeoutError``, ``WorkerFailedError``."""
        self.expected = set(codes)
        began = time.monotonic()
        try:
            await until(lambda: not self.alive, within)
        except TimeoutError as error:
            raise TimeoutError(f"worker {self.number} did not end:\n{self.tail()}") from error
        self.check()
        return time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL, and its end."""
        self.expected = {-signal.SIGKILL}
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def leave(self, within: float = 20.0) -> float:
        """SIGTERM; answers the seconds until its clean end. Raises ``TimeoutError``, ``WorkerFailedError``."""
        self.signal(signal.SIGTERM)
        return await self.ended(0, within=within)

    def check(self) -> None:
        """Raises ``WorkerFailedError`` when it ended and should not have, or not like this."""
        code = self.process.poll()
        if code is not None and code not in (self.expected or ()):
            raise WorkerFailedError(f"worker {self.number} ended with {code}, expected {self.expected}:\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.splitlines()[-TAIL_LINES:])

    def measure(self) -> None:
        """Note its peak memory."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        if found is not None:
            self.peak_bytes = max(self.peak_bytes, int(found[1]) * 1024)


class Crew:
    """All workers of one case."""

    def __init__(self, configuration: Path, environment: Mapping[str, str]) -> None:
        self._configuration = configuration
        self._environment = dict(environment)
        self.workers: list[Worker] = []

    @property
    def alive(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.alive]

    @property
    def codes(self) -> Counter[int]:
        """Exit codes so far, by how often."""
        return Counter(worker.process.returncode for worker in self.workers if not worker.alive)

    @property
    def peak_bytes(self) -> int:
        return max((worker.peak_bytes for worker in self.workers), default=0)

    def start(self, seam: Seam | None = None) -> Worker:
        """One more worker."""
        worker = Worker(len(self.workers), self._configuration, self._environment, seam)
        self.workers.append(worker)
        return worker

    def check(self) -> None:
        """Raises ``WorkerFailedError``."""
        for worker in self.workers:
            worker.measure()
            worker.check()

    async def leave(self) -> float:
        """SIGTERM to all; the seconds the slowest took. Raises as ``Worker.leave``."""
        return max(await asyncio.gather(*(worker.leave() for worker in self.alive)), default=0.0)

    def close(self) -> None:
        """No process stays."""
        for worker in self.alive:
            worker.process.kill()
            worker.process.wait()

"""One process that starts several workers and ends when they have ended: all of them, or none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stream_app.supervision.plan import ending, exit_code

logger = logging.getLogger(__name__)

STOP_SECONDS = 15.0
"""For a clean stop, after which a worker is killed. The engine gives up on its own after less."""

HEARSAY_SECONDS = 0.2
"""How much later than its workers this process may hear of a signal that a service manager sends to all of them."""


@dataclass(frozen=True)
class Member:
    """One worker to start. ``about``: what to say of it at its start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    about: str = ""


async def supervise(members: Sequence[Member], *, stop_seconds: float = STOP_SECONDS) -> int:
    """Start all, wait for SIGTERM, SIGINT or the first that ends, stop all; the exit code.

    0 when they were asked to stop and all did so cleanly, otherwise what ``exit_code`` makes of the first that did not. Their
    output is this process's own. Each has a pipe from here as its standard input (``hold_lifeline``) and a session of its own: a
    Ctrl-C at the terminal reaches only this process.
    """
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    crew = _Crew(asked)
    try:
        for member in members:
            await crew.start(member)
        await crew.one_ends_or_stop_is_asked()
    finally:
        await crew.stop(stop_seconds)
    return crew.code


class _Crew:
    """The running workers; ``code`` is the exit code by those that have ended."""

    def __init__(self, asked: asyncio.Event) -> None:
        self.code = 0
        self._asked = asked
        self._stopping = False
        self._processes: dict[str, Process] = {}
        self._ends: list[asyncio.Task[None]] = []

    async def start(self, member: Member) -> None:
        process = await asyncio.create_subprocess_exec(
            *member.command,
            stdin=PIPE,
            env={**os.environ, **member.environment},
            start_new_session=True,
        )
        logger.info("%s is process %d%s", member.name, process.pid, member.about and f", {member.about}")
        self._processes[member.name] = process
        self._ends.append(asyncio.create_task(self._end(member.name, process)))

    async def one_ends_or_stop_is_asked(self) -> None:
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait({asked, *self._ends}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()

    async def _end(self, name: str, process: Process) -> None:
        returncode = await process.wait()
        del self._processes[name]
        if not self._stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), HEARSAY_SECONDS)
        code = exit_code(returncode, asked=self._stopping or self._asked.is_set())
        level = logging.ERROR if code else logging.INFO
        logger.log(level, "%s (process %d) %s", name, process.pid, ending(returncode), extra={"event": "worker_ended", "exit_code": code})
        self.code = self.code or code

    async def stop(self, seconds: float) -> None:
        """SIGTERM to all; SIGKILL to those that are still there after ``seconds``, which count as failed."""
        if self._processes:
            logger.info("stopping %s", ", ".join(self._processes))
        self._stopping = True
        self._send(signal.SIGTERM)
        if self._ends:
            await asyncio.wait(self._ends, timeout=seconds)
        if self._processes:
            logger.error("killing %s: no end within %.0f s", ", ".join(self._processes), seconds, extra={"event": "worker_killed"})
            self._send(signal.SIGKILL)
            await asyncio.wait(self._ends)

    def _send(self, number: signal.Signals) -> None:
        for process in self._processes.values():
            process.send_signal(number)

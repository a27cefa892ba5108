"""Contenders as processes: one measured run, and one that is killed in the middle and started again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.peers import topics
from bench.peers.job import Row, Window
from bench.peers.roster import Contender
from bench.peers.task import TOLD, Task
from bench.peers.verdict import Verdict
from bench.report import ROOT
from bench.whole_job import Run

RUN_SECONDS = 300.0
END_SECONDS = 10.0
SETTLE_SECONDS = 2.0
CRASH_CHECKPOINT_SECONDS = 0.2
"""In a crash run, so that there is a checkpoint to go on from; a measured run has one a second."""
QUIET_SECONDS = 80.0
"""Without a new result for this long after a crash nothing more will come: a dead member's session is over after 60 s at most."""
POLL_SECONDS = 1.0
ERROR_CHARACTERS = 120
ERROR = re.compile(r"^[\w.]*(Error|Exception)\b")


class FailedError(Exception):
    """A contender did not do the job; the message says in one line what it said last."""


@dataclass(frozen=True)
class Job:
    """The input of one size, and what is true of it."""

    bootstrap: str
    input: str
    events: int
    truth: Mapping[Window, Row]
    compare: Callable[[Mapping[Window, Row]], Verdict]


@dataclass(frozen=True)
class Outcome:
    """A measured run and its results beside the truth."""

    run: Run
    verdict: Verdict


def last_error(log: str) -> str:
    """The last line that names an error, else the last one at all; short, and fit for a cell of a table."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = [line for line in lines if ERROR.search(line)]
    return (named or lines or ["without a word"])[-1][:ERROR_CHARACTERS].replace("|", "/")


class Process:
    """A contender's process; its lines are collected, its errors go to a file."""

    def __init__(self, contender: Contender, python: Path, task: Task) -> None:
        self._error = Path(task.directory) / "error.log"
        with self._error.open("ab") as error:
            self.process = subprocess.Popen(
                [str(python), "-m", f"bench.peers.contenders.{contender.name}", task.argument()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=error,
                cwd=task.directory,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                text=True,
            )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line.strip())
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def line(self, wanted: Callable[[str], bool], seconds: float = RUN_SECONDS) -> str:
        """The first line that is wanted. Raises ``FailedError``."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or any(map(wanted, self._lines)), seconds)
            found = next(filter(wanted, self._lines), None)
        if found is None:
            raise FailedError(f"ended before its last event: {self.last_error()}" if self._over else f"not done after {seconds:.0f} s")
        return found

    def last_error(self) -> str:
        return last_error(self._error.read_text(encoding="utf-8", errors="replace"))

    def check(self) -> None:
        """Raises ``FailedError`` when the process has ended."""
        if self.process.poll() is not None:
            raise FailedError(f"ended with {self.process.returncode}: {self.last_error()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close()

    def end(self, seconds: float = END_SECONDS) -> None:
        """Ask, then force."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def _close(self) -> None:
        """Its output ends with it, and is closed then."""
        self._thread.join(END_SECONDS)
        if not self._thread.is_alive() and self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()


def measured(contender: Contender, python: Path, job: Job) -> Outcome:
    """One run over the whole backlog. Raises ``FailedError``."""
    with tempfile.TemporaryDirectory(prefix="deskpulse-peers-", ignore_cleanup_errors=True) as directory:
        task = _new_task(contender, job, directory)
        asyncio.run(topics.create(job.bootstrap, [task.output]))
        with Process(contender, python, task) as process:
            figures = json.loads(process.line(lambda line: line.startswith("{")))
            if contender.ends:
                _wait(process)
            else:
                time.sleep(SETTLE_SECONDS)
        found = asyncio.run(topics.published(job.bootstrap, task.output))
        asyncio.run(topics.delete(job.bootstrap, [task.output]))
    return Outcome(Run(figures["events"], figures["seconds"], figures["cpu_seconds"], figures["peak_mib"]), job.compare(found))


def _wait(process: Process) -> None:
    try:
        code = process.process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        raise FailedError(f"did not end within {END_SECONDS:.0f} s of its last event") from None
    if code != 0:
        raise FailedError(f"ended with {code}: {process.last_error()}")


def crashed(contender: Contender, python: Path, job: Job) -> Verdict:
    """Killed with SIGKILL in the middle of the backlog and started again. Raises ``FailedError``."""
    with tempfile.TemporaryDirectory(prefix="deskpulse-peers-", ignore_cleanup_errors=True) as directory:
        task = replace(_new_task(contender, job, directory), checkpoint_seconds=CRASH_CHECKPOINT_SECONDS, tell_at=job.events // 2)
        asyncio.run(topics.create(job.bootstrap, [task.output]))
        process = Process(contender, python, task)
        try:
            process.line(TOLD.__eq__)
        finally:
            process.kill()
        with Process(contender, python, replace(task, restarted=True)) as process:
            verdict = _settled(process, job, task.output)
        asyncio.run(topics.delete(job.bootstrap, [task.output]))
        return verdict


def _settled(process: Process, job: Job, output: str) -> Verdict:
    """The verdict once everything is right, or once nothing has come for long."""
    before: Mapping[Window, Row] = {}
    changed = time.monotonic()
    while time.monotonic() < changed + QUIET_SECONDS:
        process.check()
        found = asyncio.run(topics.published(job.bootstrap, output))
        verdict = job.compare(found)
        if verdict.all_right or verdict.closed_right:
            return _still(job, output)
        if found != before:
            before, changed = found, time.monotonic()
        time.sleep(POLL_SECONDS)
    return job.compare(before)


def _still(job: Job, output: str) -> Verdict:
    """Right now; right in a while too?"""
    time.sleep(2 * SETTLE_SECONDS)
    return job.compare(asyncio.run(topics.published(job.bootstrap, output)))


def _new_task(contender: Contender, job: Job, directory: str) -> Task:
    name = f"peers-{contender.name}-{uuid.uuid4().hex[:8]}"
    return Task(job.bootstrap, job.input, f"{name}-results", job.events, name, directory)

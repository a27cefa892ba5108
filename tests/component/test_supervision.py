"""The supervisor and the lifeline with real processes: small scripts in place of workers."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from stream_app.engine import ExitCode
from stream_app.supervision.supervisor import Member, supervise
from tests.support.waiting import eventually, eventually_async

STARTED = """
import os, pathlib, signal, sys, threading
def started():
    part = pathlib.Path(sys.argv[1] + ".part")
    part.write_text(str(os.getpid()))
    part.rename(sys.argv[1])
"""
CLEAN = f"""{STARTED}
over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())
started()
over.wait()
"""
FAILS_ON_STOP = CLEAN + "sys.exit(65)\n"
DEAF = f"""{STARTED}
signal.signal(signal.SIGTERM, signal.SIG_IGN)
started()
while True: signal.pause()
"""
ENDS = STARTED + "started()\nsys.exit(int(sys.argv[2]))\n"
SUPERVISED = f"""{STARTED}
from stream_app.supervision.lifeline import hold_lifeline
if sys.argv[2] == "deaf": signal.signal(signal.SIGTERM, signal.SIG_IGN)
started()
hold_lifeline(grace_seconds=0.2)
while True: signal.pause()
"""


class Scripts:
    """Members that run a script each, and the processes they became."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def member(self, name: str, script: str, *arguments: object) -> Member:
        words: Sequence[str] = (sys.executable, "-c", script, str(self.directory / name), *map(str, arguments))
        return Member(name, words)

    def pid(self, name: str) -> int:
        file = self.directory / name
        return int(file.read_text()) if file.exists() else 0

    async def all_started(self, *names: str) -> None:
        async def there() -> bool:
            return all(self.pid(name) for name in names)

        await eventually_async(there, what="all processes")

    def left(self) -> list[int]:
        return [int(file.read_text()) for file in self.directory.iterdir() if is_alive(int(file.read_text()))]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    scripts = Scripts(tmp_path)
    yield scripts
    for pid in scripts.left():
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_passed_on_and_all_clean_ends_are_a_clean_end(scripts: Scripts, number: signal.Signals) -> None:
    running = asyncio.create_task(supervise([scripts.member("a", CLEAN), scripts.member("b", CLEAN)]))
    await scripts.all_started("a", "b")
    os.kill(os.getpid(), number)
    assert await asyncio.wait_for(running, 10) == ExitCode.CLEAN
    assert scripts.left() == []


async def test_one_that_fails_while_stopping_is_not_a_clean_end(scripts: Scripts) -> None:
    running = asyncio.create_task(supervise([scripts.member("a", CLEAN), scripts.member("b", FAILS_ON_STOP)]))
    await scripts.all_started("a", "b")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(running, 10) == ExitCode.OFFSET_OUT_OF_RANGE


@pytest.mark.parametrize(("given", "expected"), [(ExitCode.STALLED, ExitCode.STALLED), (0, ExitCode.FAILED)])
async def test_one_that_ends_by_itself_ends_all_with_its_code(scripts: Scripts, given: int, expected: int) -> None:
    code = await asyncio.wait_for(supervise([scripts.member("a", CLEAN), scripts.member("b", ENDS, given)]), 10)
    assert code == expected
    assert scripts.left() == []


async def test_the_first_that_failed_gives_the_code(scripts: Scripts) -> None:
    members = [scripts.member("a", FAILS_ON_STOP), scripts.member("b", CLEAN)]
    running = asyncio.create_task(supervise(members))
    await scripts.all_started("a", "b")
    os.kill(scripts.pid("b"), signal.SIGKILL)
    assert await asyncio.wait_for(running, 10) == ExitCode.FAILED
    assert scripts.left() == []


async def test_one_that_does_not_stop_in_time_is_killed_and_has_failed(scripts: Scripts) -> None:
    running = asyncio.create_task(supervise([scripts.member("a", CLEAN), scripts.member("b", DEAF)], stop_seconds=0.3))
    await scripts.all_started("a", "b")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(running, 10) == ExitCode.FAILED
    assert scripts.left() == []


async def test_one_that_cannot_be_started_leaves_no_other_behind(scripts: Scripts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(FileNotFoundError):
        await supervise([scripts.member("a", CLEAN), Member("b", [str(scripts.directory / "absent")])])
    (first,) = (int(pid) for pid in re.findall(r"a is process (\d+)", caplog.text))
    assert not is_alive(first)


@pytest.mark.parametrize(("manner", "code"), [("plain", -signal.SIGTERM), ("deaf", ExitCode.FAILED)])
def test_a_worker_whose_supervisor_is_gone_ends_even_if_it_ignores_the_signal(scripts: Scripts, manner: str, code: int) -> None:
    worker = subprocess.Popen(
        scripts.member("a", SUPERVISED, manner).command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    )
    try:
        eventually(lambda: scripts.pid("a"))
        assert worker.stdin is not None
        worker.stdin.close()
        assert worker.wait(10) == code
    finally:
        worker.kill()
        worker.wait()

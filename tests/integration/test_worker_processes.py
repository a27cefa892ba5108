"""``deskpulse worker --processes 2`` on a real Kafka: the work is shared, and however it ends nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.brokers.kafka import KafkaBroker
from stream_app.demonstration.waiting import answer
from stream_app.engine import ExitCode
from stream_app.settings import load_settings
from stream_app.supervision.lifeline import GRACE_SECONDS
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.support.waiting import eventually

PROCESSES = 2
PARTITIONS = {0, 1, 2, 3}


class Supervised:
    """The command in a process of its own, and what its log tells of the workers."""

    def __init__(self, configuration: Path) -> None:
        self.log_file = configuration.with_suffix(".log")
        command = (sys.executable, "-m", "stream_app.cli", "--config", str(configuration), "worker", "--processes", str(PROCESSES))
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def workers(self) -> dict[int, int]:
        """Process ids by number."""
        return {int(number): int(pid) for number, pid in re.findall(r"worker (\d) is process (\d+)", self.log)}

    @property
    def addresses(self) -> dict[int, str]:
        found = re.findall(r"\[worker (\d)\] stream_app\.app: metrics on (\S+)/metrics", self.log)
        return {int(number): address for number, address in found}

    def partitions(self) -> list[set[int]]:
        """The partitions of the case log that each ready worker says it owns."""
        assert self.process.poll() is None, self.log
        addresses = list(self.addresses.values())
        if len(addresses) < PROCESSES or any(answer(f"{address}/readyz")[0] != 200 for address in addresses):
            return []
        texts = [answer(f"{address}/metrics")[1] for address in addresses]
        return [{int(number) for number in re.findall(r'lag_records\{partition="(\d)",topic="events"', text)} for text in texts]

    def shared(self) -> bool:
        """Whether every worker is ready and has a part of the work."""
        owned = self.partitions()
        return len(owned) == PROCESSES and all(owned) and sum(map(len, owned)) == len(PARTITIONS)

    def left(self) -> list[int]:
        return [pid for pid in self.workers.values() if is_alive(pid)]

    def close(self) -> None:
        for pid in (self.process.pid, *self.workers.values()):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def is_alive(pid: int) -> bool:
    """Running; one that has ended and that nobody has asked about yet is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def running(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> Iterator[Supervised]:
    file = tmp_path / "deskpulse.toml"
    inputs = "".join(f'[inputs.{name}]\ntopic = "{prefix}-{name}"\n' for name in ("contacts", "resolutions", "surveys"))
    file.write_text(
        f'[kafka]\nbootstrap_servers = "{kafka.bootstrap}"\ntopic_prefix = "{prefix}"\ngroup_prefix = "{prefix}"\n'
        f'[engine]\nsession_timeout = "6s"\n[metrics]\nport = 0\n{inputs}'
    )
    asyncio.run(create_topics(kafka.bootstrap, specs_of(load_settings(file, {}))))
    supervised = Supervised(file)
    try:
        eventually(supervised.shared, within_seconds=60, what="two ready workers with a share each")
        yield supervised
    finally:
        supervised.close()


def test_two_processes_share_the_partitions_and_sigterm_ends_both_cleanly(running: Supervised) -> None:
    first, second = running.partitions()
    assert first | second == PARTITIONS
    assert not first & second

    running.process.send_signal(signal.SIGTERM)

    assert running.process.wait(20) == ExitCode.CLEAN, running.log
    assert running.left() == []
    for number in range(PROCESSES):
        assert re.search(rf"\[worker {number}\] .*last checkpoints written and committed", running.log), running.log


def test_a_worker_that_is_killed_ends_all_and_asks_for_a_new_start(running: Supervised) -> None:
    os.kill(running.workers[1], signal.SIGKILL)

    assert running.process.wait(20) == ExitCode.FAILED, running.log
    assert running.left() == []
    assert "was killed by SIGKILL" in running.log
    assert re.search(r"\[worker 0\] .*last checkpoints written and committed", running.log), running.log


def test_a_supervisor_that_is_killed_leaves_no_worker_behind(running: Supervised) -> None:
    running.process.kill()
    running.process.wait()

    eventually(lambda: not running.left(), within_seconds=GRACE_SECONDS + 5, what="the end of both workers")
    for number in range(PROCESSES):
        assert re.search(rf"\[worker {number}\] .*the supervising process is gone", running.log), running.log
        assert re.search(rf"\[worker {number}\] .*last checkpoints written and committed", running.log), running.log

"""The peers' job on Deskpulse's engine, killed with SIGKILL again and again on real Kafka: difference 0 to the oracle."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.peers import topics
from bench.peers.job import EVENTS_PER_MINUTE, FIRST_INSTANT, WINDOW_MS, events, truth
from bench.peers.roster import ROSTER
from bench.peers.running import Process
from bench.peers.task import TOLD, Task
from bench.peers.verdict import compare
from stream_app.brokers.kafka import KafkaBroker
from tests.support.waiting import eventually

EVENTS = 200_000
KILLED_AFTER = (90_000, 30_000, 20_000)
"""Records that a process has handled when it is killed, those of a replay included."""
DESKPULSE = next(contender for contender in ROSTER if contender.name == "deskpulse")
RECOVERED = re.compile(r"recovered 4 partitions from (\d+) records")

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_windows_are_exact_after_three_kills(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    task = Task(kafka.bootstrap, f"{prefix}-input", f"{prefix}-results", EVENTS, prefix, str(tmp_path), checkpoint_seconds=0.1)
    asyncio.run(topics.fill(task.bootstrap, task.input, events(EVENTS)))
    asyncio.run(topics.create(task.bootstrap, [task.output]))
    expected = truth(value for _, _, value in events(EVENTS))
    for number, tell_at in enumerate(KILLED_AFTER):
        process = Process(DESKPULSE, Path(sys.executable), replace(task, tell_at=tell_at, restarted=number > 0))
        process.line(TOLD.__eq__)
        process.kill()

    def all_right() -> bool:
        last.check()
        found = asyncio.run(topics.published(task.bootstrap, task.output))
        return compare(expected, found, FIRST_INSTANT + EVENTS * WINDOW_MS // EVENTS_PER_MINUTE).all_right

    with Process(DESKPULSE, Path(sys.executable), replace(task, restarted=True)) as last:
        eventually(all_right, within_seconds=60, what="every window as the oracle has it")
    recoveries = [int(count) for count in RECOVERED.findall((tmp_path / "error.log").read_text())]
    assert recoveries[0] == 0
    assert len(recoveries) == 4
    assert all(recoveries[1:]), "there was a checkpoint to go on from"

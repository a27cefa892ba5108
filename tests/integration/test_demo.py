"""``deskpulse demo`` as a new user runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.brokers import BrokerUnavailableError
from stream_app.brokers.embedded import binary
from stream_app.demonstration.processes import ChildEndedError, Children
from stream_app.demonstration.waiting import answer
from tests.support.requirements import missing
from tests.support.waiting import eventually

pytestmark = [pytest.mark.embedded, pytest.mark.slow]


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    return tmp_path / "printed.txt"


@pytest.fixture
def demo(printed: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    try:
        binary()
    except BrokerUnavailableError as error:
        missing(str(error))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESKPULSE_")}
    ports = {"DESKPULSE_BOARD__PORT": "0", "DESKPULSE_METRICS__PORT": "0", "TMPDIR": str(tmp_path)}
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream_app.cli", "demo", "--history", "1m", "--rate", "50"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**environment, **ports, "PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=tmp_path,
        )
        yield process
        process.terminate()
        process.wait(30)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def test_demo_comes_up_with_moving_numbers_and_leaves_nothing_behind_on_ctrl_c(demo: subprocess.Popen[bytes], printed: Path) -> None:
    def said() -> str:
        assert demo.poll() is None, printed.read_text()
        return printed.read_text()

    eventually(lambda: "contacts in 30 m" in said(), within_seconds=90, what="a status with numbers")
    board, metrics = re.findall(r"(?:Board|Metrics) +(http\S+)", said())
    assert answer(board)[0] == 200
    assert "deskpulse_processed_records_total" in answer(metrics)[1]
    children = [int(number) for number in re.findall(r"\(process (\d+)\)", said())]
    assert len(children) == 3
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 0
    assert printed.read_text().endswith("Everything is stopped.\n")
    assert not [child for child in children if is_alive(child)]
    assert answer(board)[0] == 0


def test_a_command_that_ends_by_itself_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    children = Children(tmp_path, {"DESKPULSE_CONFIG": str(tmp_path / "absent.toml")})
    child = children.start("worker", ["worker"])
    try:
        child.process.wait(20)
        with pytest.raises(ChildEndedError, match=r"the worker ended with code 2[\s\S]*absent\.toml"):
            children.check()
    finally:
        children.stop()

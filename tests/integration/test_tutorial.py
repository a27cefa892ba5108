"""The tutorial from its own page: every command in order, on a new environment, up to the numbers that the page shows."""

from __future__ import annotations

import os
import shutil
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.brokers import BrokerUnavailableError
from stream_app.brokers.kafka_jars import jars, java
from stream_app.brokers.loopback import free_ports
from tests.support.requirements import missing
from tests.support.walkthrough import Walkthrough, blocks_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial/first-hour.md"
PACKAGE = ("models", "agents", "stream_app", "pyproject.toml", "setup.py", "README.md", "LICENSE")

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A copy of what is installed: building leaves its traces where it is done."""
    place = tmp_path / "unpacked"
    place.mkdir()
    for name in PACKAGE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(source, place / name)
    return place


@pytest.fixture
def reader(unpacked: Path, tmp_path: Path) -> Iterator[Walkthrough]:
    """Someone in an empty folder. What Deskpulse needs is there already: no test fetches it again from a registry."""
    try:
        java()
        jars()
    except BrokerUnavailableError as error:
        missing(str(error))
    folder = tmp_path / "first-hour"
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DESKPULSE_", "PYTHON", "VIRTUAL_ENV"))}
    environment["PATH"] = f"{folder / '.venv/bin'}:{environment['PATH']}"  # as after `activate`, in every terminal
    environment |= {"PYTHONPATH": sysconfig.get_path("purelib"), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    broker, metrics, board = (str(port) for port in free_ports(3))
    environment |= {"DESKPULSE_METRICS__PORT": metrics, "DESKPULSE_BOARD__PORT": board}
    instead = {"/path/to/deskpulse": str(unpacked), "broker kafka": f"broker kafka --port {broker}", "9092": broker, "9464": metrics, "8088": board}
    with Walkthrough(folder, environment, instead) as walkthrough:
        yield walkthrough


def test_the_first_hour_ends_with_the_numbers_that_its_page_shows(reader: Walkthrough) -> None:
    began = time.monotonic()
    for block in blocks_of(PAGE.read_text()):
        at = time.monotonic()
        reader.follow(block)
        print(f"{time.monotonic() - at:5.1f} s  {block.title or block.text.strip().splitlines()[-1]}")  # noqa: T201 - for pytest -s
    print(f"{time.monotonic() - began:5.1f} s  all of it: the figure on the page")  # noqa: T201

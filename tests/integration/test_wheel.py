"""The wheel, made of what ``.dockerignore`` lets through, in an environment that holds nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream_app.brokers import BrokerUnavailableError
from stream_app.brokers.embedded import binary
from tests.support.compose import ROOT
from tests.support.requirements import missing

pytestmark = pytest.mark.slow

PACKAGES = ("models", "agents", "stream_app")
PATIENCE_SECONDS = 240


def let_through() -> list[str]:
    """The entries that ``.dockerignore`` makes an exception for; everything else is left out."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def run(command: Sequence[str | Path], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DESKPULSE_", "PYTHON"))}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in let_through():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(ROOT / name, source)
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source], folder)
    return next(folder.glob("*.whl"))


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and what it asks for, and an empty folder to work in."""

    environment: Path
    folder: Path

    def deskpulse(self, *arguments: str) -> str:
        return run([self.environment / "bin" / "deskpulse", *arguments], self.folder)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", environment / "bin" / "python")
    run((*pip, "install", "--quiet", wheel), environment)
    return Installed(environment, tmp_path_factory.mktemp("work"))


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    files = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    expected = {name for name in files if "__pycache__" not in name and not name.endswith((".so", ".pyc"))}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {"stream_app/board/static/index.html", "stream_app/brokers/kafka_jars.pom.xml"} <= expected
    assert held == expected


def test_the_command_works_from_the_wheel_alone(installed: Installed, wheel: Path) -> None:
    assert installed.deskpulse("--version") == f"deskpulse {wheel.name.split('-')[1]}\n"
    assert "First steps" in installed.deskpulse("--help")
    (installed.folder / "deskpulse.toml").write_text(installed.deskpulse("config", "example"))
    assert "sound configuration" in installed.deskpulse("config", "check")


@pytest.mark.embedded
def test_the_demonstration_works_from_the_wheel_alone(installed: Installed) -> None:
    try:
        binary()
    except BrokerUnavailableError as error:
        missing(str(error))
    printed = installed.deskpulse("demo", "--history", "1m", "--for", "10")
    for came in ("broker on", "board (process", "worker (process", "Everything is stopped."):
        assert came in printed

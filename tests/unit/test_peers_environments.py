"""A peer's environment is made once for its requirements; one that cannot be made says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.peers import environments
from bench.peers.environments import NotInstalledError, interpreter
from bench.peers.roster import Contender

PEER = Contender("x", "X")


class Installer:
    """Stands in for pip: answers with a code and what it printed."""

    def __init__(self, code: int = 0, error: str = "") -> None:
        self.code, self.error, self.runs = code, error, 0

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.runs += 1
        return subprocess.CompletedProcess(command, self.code, "", self.error)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "x.txt").write_text("peer==1\n")
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr("venv.create", lambda where, **_: Path(where).mkdir(parents=True))
    return tmp_path


def installing(monkeypatch: pytest.MonkeyPatch, installer: Installer) -> Installer:
    monkeypatch.setattr(subprocess, "run", installer)
    return installer


def test_who_is_no_peer_runs_here() -> None:
    assert interpreter(Contender("x", "X", peer=False)) == Path(sys.executable)


def test_an_environment_is_made_once_and_again_when_its_requirements_change(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = installing(monkeypatch, Installer())
    assert interpreter(PEER) == interpreter(PEER) == place / "cache/x/bin/python"
    assert pip.runs == 1
    (place / "x.txt").write_text("peer==2\n")
    interpreter(PEER)
    assert pip.runs == 2


def test_the_last_word_of_the_installer_is_the_reason_and_the_next_run_tries_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = installing(monkeypatch, Installer(1, "ERROR: Could not find a version\nERROR: No matching distribution found for peer==1\n\n"))
    for _ in range(2):
        with pytest.raises(NotInstalledError, match=r"cannot be installed: ERROR: No matching distribution found for peer==1$"):
            interpreter(PEER)
    assert pip.runs == 2

"""An environment for each peer: their dependencies conflict with each other's and with ours."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench.peers.roster import Contender
from bench.report import ROOT

CACHE = ROOT / ".cache" / "peers"
REQUIREMENTS = Path(__file__).with_name("requirements")
INSTALL_SECONDS = 900
STAMP = "installed"


class NotInstalledError(Exception):
    """The contender cannot take part; the message says why in one line."""


def interpreter(contender: Contender) -> Path:
    """The Python that runs this contender; a peer's environment is made when its requirements are new. Raises ``NotInstalledError``."""
    if not contender.peer:
        return Path(sys.executable)
    place = CACHE / contender.name
    requirements = REQUIREMENTS / f"{contender.name}.txt"
    wanted = f"{sys.version}\n{hashlib.sha256(requirements.read_bytes()).hexdigest()}\n"
    stamp = place / STAMP
    python = place / "bin" / "python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _make(place, python, requirements)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def _make(place: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
    try:
        done = subprocess.run(install, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise NotInstalledError(f"not installed within {INSTALL_SECONDS} s") from None
    if done.returncode != 0:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise NotInstalledError(f"cannot be installed: {' '.join(last) or f'pip ended with {done.returncode}'}")

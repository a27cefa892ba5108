"""A service of the compose file as a process of this machine: its command, its variables, and its health check for being up."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream_app.brokers.process import BrokerProcess
from tests.support.compose import ROOT
from tests.support.requirements import missing, program

START_SECONDS = 60.0

READ_ONLY = """
mount --bind / / && mount -o remount,ro,bind /
while [ "$1" != -- ]; do mount --bind "$1" "$1" && mount -o remount,rw,bind "$1"; shift; done
shift
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


def contained(command: Sequence[str], writable: Sequence[Path] = ()) -> list[str]:
    """``command`` with what a container takes away: no write outside of ``writable``, no capabilities. The process id stays the same."""
    if os.geteuid() != 0:
        missing("needs root to make the file system read-only for one process")
    return [program("unshare"), "--mount", "sh", "-euc", READ_ONLY, "sh", *map(str, writable), "--", *command]


class ContainedProcess(BrokerProcess):
    """No broker, but started, guarded and ended like one; ``start`` waits until ``health`` ends with 0."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        health: Sequence[str] = (),
        writable: Sequence[Path] = (),
    ) -> None:
        super().__init__(name=name, data_dir=None, start_timeout_seconds=START_SECONDS)
        self._command = contained(command, writable)
        self._variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
        self._health = health

    def _prepare(self) -> Sequence[str]:
        return self._command

    def _environment(self) -> Mapping[str, str]:
        return self._variables

    def _serves(self) -> bool:
        return not self._health or subprocess.run(self._health, env=self._variables, capture_output=True, check=False).returncode == 0

    def ends(self, *, within_seconds: float) -> int:
        """The exit code after SIGTERM."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(within_seconds)

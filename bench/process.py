"""Processes under measurement: what they take of the machine, from ``/proc`` (Linux)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Self

METRICS = re.compile(r"metrics on (http\S+)")
PATIENCE_SECONDS = 2.0
TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.1
ROOT = Path(__file__).resolve().parent.parent
COMPILED = ROOT / ".cache/compiled"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, its children not included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid: int) -> float:
    """Largest resident size so far."""
    return _status_mib(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """Resident size now."""
    return _status_mib(pid, "VmRSS")


def _status_mib(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


class Sampled:
    """CPU time and peak memory of a process over wall time, sampled in a thread until ``stop``."""

    def __init__(self, pid: int) -> None:
        self.peak_mib = 0.0
        self._pid = pid
        self._samples: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._samples.append((time.time(), cpu_seconds(self._pid)))
                self.peak_mib = peak_mib(self._pid)
            except (FileNotFoundError, ProcessLookupError):
                return
            self._over.wait(SAMPLE_SECONDS)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def cpu_between(self, begin: float, end: float) -> float:
        """CPU seconds between two instants of wall time, by linear interpolation."""
        return self._at(end) - self._at(begin)

    def _at(self, instant: float) -> float:
        before = self._samples[0]
        for sample in self._samples:
            if sample[0] >= instant:
                span = sample[0] - before[0]
                return before[1] + (sample[1] - before[1]) * ((instant - before[0]) / span if span > 0 else 0.0)
            before = sample
        return before[1]


class Worker:
    """A ``deskpulse worker`` of its own process, with its log beside its configuration. ``number``: among several with the same one.

    ``compiled``: the code that ``make compiled`` made, else plain Python.
    """

    def __init__(self, configuration: Path, number: int = 0, *, compiled: bool = False) -> None:
        self.configuration = configuration
        self.directory = COMPILED if compiled else ROOT
        self.log = configuration.with_suffix(f".{number}.log")

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "stream_app.cli", "--config", str(self.configuration), "worker"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self.sampled = Sampled(self.process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.sampled.stop()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        if code != 0:
            raise RuntimeError(f"the worker ended with {code}:\n{self.tail()}")

    def check(self) -> None:
        """Raises ``RuntimeError`` when the worker has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker ended with {self.process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.logged().splitlines()[-20:])

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def metrics(self) -> str:
        """The text of its metrics, or nothing while it does not answer."""
        found = METRICS.findall(self.logged())
        if not found:
            return ""
        try:
            with urllib.request.urlopen(found[-1], timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - our own http address
                return str(answer.read().decode())
        except OSError:
            return ""

"""One broker process: started with a log file of its own, asked over its port whether it serves, signalled, ended."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from stream_app.brokers import BrokerStartError

TAIL_LINES = 25


class BrokerProcess:
    """What every local broker has in common; subclasses say how the process is called and when it serves.

    The child gets a session of its own, so a Ctrl-C at the terminal reaches only the parent, which then stops things in its own order.
    It is stopped when the interpreter exits, and killed when this process dies without a chance to do so.
    """

    def __init__(self, *, name: str, data_dir: Path | None, start_timeout_seconds: float) -> None:
        self.name = name
        self._owns_data_dir = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix=f"deskpulse-{name}-"))
        self.log_file = self.data_dir / "broker.log"
        self._start_timeout_seconds = start_timeout_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    @property
    def bootstrap(self) -> str:
        raise NotImplementedError

    def _prepare(self) -> Sequence[str]:
        """The command line to run, after whatever has to be on disk is there. Raises ``BrokerError``."""
        raise NotImplementedError

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    def _serves(self) -> bool:
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    def start(self) -> None:
        """Start and wait until clients are served. Raises ``BrokerError``."""
        self.launch()
        self.wait_until(self._serves)

    def launch(self) -> None:
        """Start without waiting: nodes of one cluster wait for each other. Raises ``BrokerError``."""
        if self.running:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = self._prepare()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self._environment()),
                start_new_session=True,
            )
        self._guard = _guard_of(self._process.pid)

    def wait_until(self, serves: Callable[[], bool]) -> None:
        """Raises ``BrokerStartError`` when the process ends or the start takes too long; the process is killed then."""
        deadline = time.monotonic() + self._start_timeout_seconds
        while not serves():
            if not self.running:
                self._fail("ended while starting")
            if time.monotonic() > deadline:
                self._fail(f"did not answer within {self._start_timeout_seconds:.0f} s")
            time.sleep(0.05)

    def _fail(self, what: str) -> None:
        self.kill()
        message = f"The {self.name} broker {what}. The end of its log:\n{self.log_tail()}"
        raise BrokerStartError(message)

    def log_tail(self) -> str:
        if not self.log_file.exists():
            return "(no log)"
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def stop(self, timeout_seconds: float = 15.0) -> None:
        """SIGTERM, then SIGKILL after the timeout."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._dismiss()

    def kill(self) -> None:
        """SIGKILL and wait for the end: afterwards the port is free and nothing more is written."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._dismiss()

    def _dismiss(self) -> None:
        self._process = None
        if self._guard is not None:
            self._guard.communicate(b"ended\n")
            self._guard = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def close(self) -> None:
        """Stop, and delete the data directory if it was made here."""
        atexit.unregister(self.close)
        if self._owns_data_dir:
            self.kill()
            shutil.rmtree(self.data_dir, ignore_errors=True)
        else:
            self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _guard_of(pid: int) -> subprocess.Popen[bytes]:
    """A shell that waits for a line from us and kills the broker if the pipe closes without one: we are gone then, however we died."""
    return subprocess.Popen(
        ["/bin/sh", "-c", f"read ended || kill -9 {pid}"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )

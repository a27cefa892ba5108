"""The demonstration itself: what is started in which order, what is said, and how it all ends."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from stream_app.brokers.process import BrokerProcess
from stream_app.demonstration.following import KpiFollower
from stream_app.demonstration.processes import Child, Children
from stream_app.demonstration.waiting import answer, port_or_free
from stream_app.kafka_access.security import plain_environment
from stream_app.settings import Settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of

START_SECONDS = 60.0
STATUS_SECONDS = 5.0
EMBEDDED_SETTINGS = {
    "DESKPULSE_ENGINE__SESSION_TIMEOUT": "6s",
    "DESKPULSE_ENGINE__FETCH_WAIT": "10ms",
    "DESKPULSE_ENGINE__PUBLISH_INTERVAL": "500ms",
}
"""What is pleasant with the embedded broker: joining a group takes half a session, waiting fetches do not wake up, and with every
batch that it holds it grows slower: at 20 publications a second it fell behind within eight minutes."""


class DemoStoppedError(Exception):
    """Somebody asked to stop, or the time is over. Not a failure."""


class DemoFailedError(Exception):
    """Something did not come up in time; the message says what and where its log is."""


@dataclass
class Demo:
    """One run. ``say`` prints a line; ``asked_to_stop`` ends it at the next step."""

    settings: Settings
    broker: BrokerProcess
    rate: float
    history: str
    seconds: float | None
    say: Callable[[str], None]
    asked_to_stop: threading.Event
    started: float = field(default_factory=time.monotonic)
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="deskpulse-demo-")))

    def run(self) -> None:
        """Until asked to stop or the time is over. Raises what went wrong; everything started is stopped in any case."""
        with ExitStack() as stack:
            stack.callback(self.broker.close)
            self.broker.start()
            self._step(f"broker on {self.broker.bootstrap}")
            self._create_topics()
            children = Children(self.directory, self._environment())
            stack.callback(self._stop, children)
            self._start(children)
            self._addresses()
            self._follow(children)

    def _create_topics(self) -> None:
        specs = specs_of(self.settings)
        created = asyncio.run(create_topics(self.broker.bootstrap, specs))
        self._step(f"{len(created)} topics")

    def _environment(self) -> dict[str, str]:
        self._metrics_port = port_or_free(self.settings.metrics.port)
        self._board_port = port_or_free(self.settings.board.port)
        quick = EMBEDDED_SETTINGS if self.broker.name == "embedded" else {}
        return {
            "DESKPULSE_KAFKA__BOOTSTRAP_SERVERS": self.broker.bootstrap,
            **plain_environment(self.settings.kafka),
            "DESKPULSE_METRICS__HOST": "127.0.0.1",
            "DESKPULSE_METRICS__PORT": str(self._metrics_port),
            "DESKPULSE_BOARD__HOST": "127.0.0.1",
            "DESKPULSE_BOARD__PORT": str(self._board_port),
            "DESKPULSE_TIME__SIMULATED": "true",
            **quick,
        }

    def _start(self, children: Children) -> None:
        """The simulator comes first: its history is then in the topics when the worker begins, as after a night without one."""
        simulator = children.start("simulator", ["simulate", "--live", "--rate", f"{self.rate:g}", "--history", self.history])
        self._step(f"simulated traffic (process {simulator.process.pid})")
        worker = children.start("worker", ["worker"])
        board = children.start("board", ["board"])
        self._wait(children, board, f"http://127.0.0.1:{self._board_port}/")
        self._step(f"board (process {board.process.pid})")
        self._wait(children, worker, f"http://127.0.0.1:{self._metrics_port}/readyz")
        self._step(f"worker (process {worker.process.pid})")

    def _wait(self, children: Children, child: Child, url: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (found := answer(url))[0] != 200:  # noqa: PLR2004 - OK
            children.check()
            if time.monotonic() > deadline:
                raise DemoFailedError(f"the {child.name} did not come up in {START_SECONDS:.0f} s: {found[1].strip()} ({child.log_file})")
            self._pause(0.2)

    def _addresses(self) -> None:
        prefix = self.settings.kafka.topic_prefix
        inputs = ", ".join(given.topic for given in self.settings.active_inputs().values())
        self.say("")
        self.say(f"  Board    http://127.0.0.1:{self._board_port}/")
        self.say(f"  Metrics  http://127.0.0.1:{self._metrics_port}/metrics")
        self.say(f"  Topics   {inputs} in, {prefix}.kpis and others out, on {self.broker.bootstrap}")
        self.say(f"  Logs     {self.directory}")
        self.say(f"  By hand  DESKPULSE_KAFKA__BOOTSTRAP_SERVERS={self.broker.bootstrap} deskpulse snapshot")
        self.say("")
        self.say("Ctrl-C stops everything.")

    def _follow(self, children: Children) -> None:
        follower = KpiFollower(self.broker.bootstrap, self.settings.topic("kpis"))
        with asyncio.Runner() as runner:
            try:
                while True:
                    until = time.monotonic() + STATUS_SECONDS
                    while time.monotonic() < until:
                        runner.run(follower.update(milliseconds=200))
                        children.check()
                        self._pause(0.3)
                    self.say(f"{self._elapsed():6.0f} s  {follower.status()}")
            finally:
                runner.run(follower.close())

    def _pause(self, seconds: float) -> None:
        if self.asked_to_stop.wait(seconds) or (self.seconds is not None and self._elapsed() > self.seconds):
            raise DemoStoppedError

    def _stop(self, children: Children) -> None:
        self.say("Stopping …")
        for name in children.stop():
            self.say(f"! the {name} did not end by itself and was killed")

    def _step(self, what: str) -> None:
        self.say(f"✓ {self._elapsed():4.1f} s  {what}")
        self._pause(0)

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

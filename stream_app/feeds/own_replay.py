"""A replay through a pipeline of its own, from the broker to the summary."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stream_app.brokers.process import BrokerProcess
from stream_app.demonstration.demo import EMBEDDED_SETTINGS
from stream_app.demonstration.processes import Children
from stream_app.feeds.feed import Feed, FeedOutline
from stream_app.feeds.pipeline import delete_topics, first_of, follow_watermark, input_topics, span_rows, worker_environment
from stream_app.feeds.replay import Order, ReplayPlan, Sent, replay
from stream_app.feeds.stopping import run_stoppable
from stream_app.kafka_access.security import client_security, plain_environment
from stream_app.settings import Settings, load_settings
from stream_app.snapshots.reading import read_latest
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of

WATCH_SECONDS = 0.5
READ_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far it is. ``sent``: events; ``watermark``: event time (ms) up to which KPIs are published."""

    say: Callable[[str], None] = lambda _: None
    sent: Callable[[int], None] = lambda _: None
    watermark: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it: counts sent, rows of the span, seconds from the first event sent to the last KPI published."""

    sent: Sent
    rows: list[dict[str, object]]
    seconds: float


@dataclass(kw_only=True)
class OwnReplay:
    """One feed through its own topics and workers.

    ``broker``: a local one to start and to stop again, or None with ``bootstrap`` of one that runs.
    """

    feed: Feed
    outline: FeedOutline
    prefix: str
    report: Report = Report()
    broker: BrokerProcess | None = None
    bootstrap: str = ""
    workers: int = 1
    speed: float | None = None
    order: Order = "time"
    keep: bool = False
    directory: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="deskpulse-replay-")))

    @contextmanager
    def run(self) -> Iterator[Outcome]:
        """The outcome, with everything still running until the block ends.

        Raises ``BrokerError``, ``TopicsError``, ``ChildEndedError`` (a worker ended), ``SettingsError``,
        ``UnreadableTopicError`` or Kafka's own errors; whatever was started is stopped in any case.
        """
        with ExitStack() as stack:
            bootstrap = self._broker(stack)
            environment = self.environment(bootstrap)
            settings = load_settings(environment=environment)
            self._topics(stack, settings)
            children = Children(self.directory, environment)
            stack.callback(children.stop)
            for number in range(1, self.workers + 1):
                children.start(f"worker-{number}", ["worker"])
            started = time.monotonic()
            sent = run_stoppable(self._through(settings, children))
            seconds = time.monotonic() - started
            security = client_security(settings.kafka)
            contents = run_stoppable(read_latest(bootstrap, settings.topic("kpi-windows"), READ_SECONDS, security))
            yield Outcome(sent=sent, rows=span_rows(contents), seconds=seconds)

    def environment(self, bootstrap: str) -> dict[str, str]:
        """Settings of this pipeline; with them in the environment every other command looks at it too."""
        quick = EMBEDDED_SETTINGS if self.broker is not None and self.broker.name == "embedded" else {}
        local = {} if self.broker is None else plain_environment(load_settings().kafka)
        return {**worker_environment(self.feed, self.outline, bootstrap, self.prefix), **quick, **local}

    def _broker(self, stack: ExitStack) -> str:
        if self.broker is None:
            return self.bootstrap
        stack.callback(self.broker.close)
        self.broker.start()
        self.report.say(f"broker on {self.broker.bootstrap}")
        return self.broker.bootstrap

    def _topics(self, stack: ExitStack, settings: Settings) -> None:
        specs = specs_of(settings)
        bootstrap = settings.kafka.bootstrap_servers
        security = client_security(settings.kafka)
        created = run_stoppable(create_topics(bootstrap, specs, settings.kafka.replication_factor, security=security))
        self.report.say(f"{len(created)} topics {self.prefix}*")
        if self.broker is None and not self.keep:
            stack.callback(lambda: asyncio.run(delete_topics(bootstrap, created, security)))

    async def _through(self, settings: Settings, children: Children) -> Sent:
        sent = Sent()
        bootstrap = settings.kafka.bootstrap_servers
        security = client_security(settings.kafka)

        async def work() -> None:
            nonlocal sent
            plan = ReplayPlan(topics=input_topics(self.prefix), speed=self.speed, order=self.order, on_progress=self.report.sent)
            sending = asyncio.create_task(replay(self.feed, bootstrap, plan, outline=self.outline, security=security))
            following = asyncio.create_task(
                follow_watermark(bootstrap, settings.topic("kpis"), self.outline.final_instant, self.report.watermark, security)
            )
            sent, _ = await asyncio.gather(sending, following)

        async def watch() -> None:
            while True:
                children.check()
                await asyncio.sleep(WATCH_SECONDS)

        await first_of(asyncio.create_task(work()), asyncio.create_task(watch()))
        return sent

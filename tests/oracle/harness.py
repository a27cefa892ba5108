"""A whole run: real Kafka, real workers, a feed; then every published KPI against the truth."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from stream_app.brokers.kafka import KafkaBroker
from stream_app.feeds.boston311 import Boston311Feed
from stream_app.feeds.event_file import write_events
from stream_app.feeds.feed import Feed, FeedOutline
from stream_app.feeds.replay import Order, ReplayPlan, replay
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.feeds.uci498 import Uci498Feed
from stream_app.settings import Settings, load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.oracle import events, published, truth
from tests.oracle.compare import Comparison, compare, live_windows, load_published
from tests.oracle.workers import WorkerPool
from tests.support.record_schemas import OUTPUTS, Validation

DAY_MS = 86_400_000
QUIET_SECONDS = 6.0
"""Nothing more is published for this long: the run is over."""
DEADLINE_SECONDS = 900.0
SHOWN = 20
WARN_PERCENT = 25
"""So early that some clock is at risk in whatever instant the data end."""
MEMORY = "4GB"
"""Of the database; it goes on in files beside its own beyond that."""
INPUT, PUBLISHED, PANES = "events.jsonl", "published.jsonl", "panes.jsonl"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run. ``data`` is uci498, boston311 or simulated."""

    data: str
    workers: int = 1
    order: Order = "time"
    kills: int = 0
    events: int = 500_000
    seed: int = 7
    capture: Path | None = None
    keep: Path | None = None


@dataclass
class Result:
    """What a run showed."""

    plan: Plan
    comparison: Comparison
    kills: int
    exit_codes: list[int]
    seconds: dict[str, float] = field(default_factory=dict)
    shown_kpis: frozenset[str] = frozenset()
    """KPIs with a denominator (or a value) above zero somewhere."""
    validation: Validation = field(default_factory=Validation)
    """Every record of every topic against its published schema."""

    @property
    def ok(self) -> bool:
        return not self.comparison.by_kpi and not self.validation.invalid and all(code == 0 for code in self.exit_codes)


def feed_of(plan: Plan) -> tuple[Feed, FeedOutline]:
    """The feed and how far it is declared complete. Simulated data ends at its last event: clocks run, cases wait."""
    if plan.data == "simulated":
        feed: Feed = SimulatedFeed(plan.seed, plan.events)
        outline = feed.outline()
        return feed, outline._replace(final_instant=outline.last_instant)
    feed = Uci498Feed() if plan.data == "uci498" else Boston311Feed()
    return feed, feed.outline()


def configuration(plan: Plan, bootstrap: str, prefix: str, outline: FeedOutline) -> str:
    """TOML for the workers: declared progress, a horizon that covers the data, one row over everything."""
    days = max(35, (outline.final_instant - outline.first_instant) // DAY_MS + 8)
    zone = "America/New_York" if plan.data == "boston311" else "UTC"
    inputs = "".join(
        f'[inputs.{name}]\ntopic = "{prefix}-{name}"\nprogress = "declared"\n' for name in ("contacts", "resolutions", "surveys")
    )
    live, final = ("true", '"hour", "day"') if plan.data == "simulated" else ("false", '"day"')
    return (
        f'[kafka]\nbootstrap_servers = "{bootstrap}"\ntopic_prefix = "{prefix}"\ngroup_prefix = "{prefix}"\n{inputs}'
        f'[time]\nhorizon = "{days}d"\n[kpis]\nzone = "{zone}"\nspan = true\nlive_windows = {live}\nfinal_windows = [{final}]\n'
        f"[metrics]\nport = 0\n[sla]\nwarn_percent = {WARN_PERCENT}\n"
    )


def run(plan: Plan, say: Callable[[str], None] = print) -> Result:
    """Start everything, feed, wait, compare, stop everything. Raises ``WorkerFailedError``, ``TimeoutError``."""
    directory = plan.keep or Path(tempfile.mkdtemp(prefix="deskpulse-oracle-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        return asyncio.run(_Run(plan, directory, say).whole())
    finally:
        if plan.keep is None:
            shutil.rmtree(directory, ignore_errors=True)


def judge(
    directory: Path, definitions: Mapping[str, Any], watermark: int, clock: int, capture: Path | None = None
) -> tuple[Comparison, frozenset[str]]:
    """Compare the published rows in a directory with the truth of the input beside them; with the KPIs that are above zero."""
    file = directory / "oracle.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(file, config={"memory_limit": MEMORY}) as connection:
        events.load_file(connection, directory / INPUT)
        truth.prepare(connection, definitions, watermark)
        truth.build_facts(connection)
        load_published(connection, directory / PUBLISHED)
        live = live_windows(clock, definitions["zone"], fast=definitions["fast_tier"])
        hourly = {kpi for (kpi,) in connection.execute("SELECT DISTINCT r.kpi FROM published_line WHERE r.window = 'hour'").fetchall()}
        truth.build_windows(connection, [truth.SPAN, *live], hours=bool(hourly))
        truth.build_truth(connection, hourly=hourly)
        if capture is not None:
            connection.execute(f"COPY truth TO '{capture / 'truth.parquet'}'")
            (capture / "zone").write_text(str(definitions["zone"]), encoding="utf-8")
        found = compare(connection, live=True, limit=SHOWN)
        shown = connection.execute("SELECT DISTINCT kpi FROM truth WHERE coalesce(denominator, n, value) > 0").fetchall()
    return found, frozenset(kpi for (kpi,) in shown)


class _Run:
    def __init__(self, plan: Plan, directory: Path, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.directory = directory
        self.say = say
        self.seconds: dict[str, float] = {}
        self.validation = Validation()
        self.feed, self.outline = feed_of(plan)

    async def whole(self) -> Result:
        write_events(self.directory / INPUT, self.feed.events(), simulated=self.feed.simulated)
        with KafkaBroker() as broker:
            settings = self._settings(broker.bootstrap)
            await create_topics(broker.bootstrap, specs_of(settings))
            pool = WorkerPool(self.directory / "deskpulse.toml", self.directory, self.plan.workers)
            began = time.monotonic()
            pool.start()
            try:
                watermark, clock = await self._until_final(settings, pool)
                self.seconds["pipeline"] = time.monotonic() - began
                await self._collect(settings)
            finally:
                codes = pool.stop()
        began = time.monotonic()
        comparison, shown = judge(self.directory, settings.definitions(), watermark, clock, self.plan.capture)
        self.seconds["oracle"] = time.monotonic() - began
        self.say(f"watermark {watermark}, clock {clock}")
        return Result(self.plan, comparison, pool.kills, codes, self.seconds, shown, self.validation)

    def _settings(self, bootstrap: str) -> Settings:
        file = self.directory / "deskpulse.toml"
        file.write_text(configuration(self.plan, bootstrap, f"oracle-{uuid.uuid4().hex[:8]}", self.outline), encoding="utf-8")
        return load_settings(file, {})

    async def _until_final(self, settings: Settings, pool: WorkerPool) -> tuple[int, int]:
        """Feed and wait until the watermark is final and nothing more is published."""
        bootstrap = settings.kafka.bootstrap_servers
        topics = {name: settings.topic(name) for name in settings.active_inputs()}
        feeding = asyncio.create_task(
            replay(self.feed, bootstrap, ReplayPlan(topics=topics, order=self.plan.order, seed=self.plan.seed), outline=self.outline)
        )
        killing = asyncio.create_task(pool.kill_at_random(self.plan.kills, random.Random(self.plan.seed)))
        reader = published.WatermarkReader(bootstrap, settings.topic("kpis"))
        await reader.start()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not (feeding.done() and killing.done() and (reader.watermark or 0) >= self.outline.final_instant):
                    await self._step(reader, pool, feeding, killing)
                await self._until_quiet(settings, reader, pool)
        except TimeoutError as error:
            raise TimeoutError(f"watermark {reader.watermark}, wanted {self.outline.final_instant}, fed {feeding.done()}") from error
        finally:
            for task in (feeding, killing):
                task.cancel()
            await asyncio.gather(feeding, killing, return_exceptions=True)
            await reader.stop()
        assert reader.watermark is not None
        return reader.watermark, reader.clock

    @staticmethod
    async def _step(reader: published.WatermarkReader, pool: WorkerPool, *tasks: asyncio.Task[object]) -> None:
        for task in tasks:
            if task.done():
                task.result()
        pool.check()
        await reader.read()

    async def _until_quiet(self, settings: Settings, reader: published.WatermarkReader, pool: WorkerPool) -> None:
        names = [settings.topic("kpi-windows"), settings.topic("panes")]
        known: tuple[object, ...] = ()
        since = time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            await self._step(reader, pool)
            found = (reader.rows, await published.ends(settings.kafka.bootstrap_servers, names))
            if found != known:
                known, since = found, time.monotonic()

    async def _collect(self, settings: Settings) -> None:
        topics = {name: settings.topic(name) for name in ("kpis", "kpi-windows")}
        bootstrap = settings.kafka.bootstrap_servers
        rows = await published.write_rows(bootstrap, topics, self.directory / PUBLISHED, self.validation)
        self.say(f"{rows} published records")
        began = time.monotonic()
        others = (set(OUTPUTS) - set(topics)) | set(settings.active_inputs())
        await published.validate(bootstrap, {name: settings.topic(name) for name in sorted(others)}, self.validation)
        self.seconds["schemas"] = time.monotonic() - began
        if self.plan.capture is not None:
            self.plan.capture.mkdir(parents=True, exist_ok=True)
            await published.write_newest(bootstrap, settings.topic("panes"), self.plan.capture / PANES)

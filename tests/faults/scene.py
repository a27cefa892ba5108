"""One case from its topics to its verdict: load, injector and watcher side by side, then everything that must hold."""

from __future__ import annotations

import asyncio
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stream_app.feeds.event_file import write_events
from stream_app.feeds.feed import Feed
from stream_app.settings import Settings, load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.faults import verdict
from tests.faults.crew import Crew, Worker
from tests.faults.load import Load
from tests.faults.seams import Seam
from tests.faults.stage import Kind, Stage
from tests.faults.waiting import until
from tests.oracle import published
from tests.oracle.harness import INPUT, PUBLISHED, Plan, configuration, feed_of, judge

QUIET_SECONDS = 3.0
SHOWN = 5
DEADLINE_SECONDS = 540.0
ENGINE = {
    "DESKPULSE_ENGINE__CHECKPOINT_INTERVAL": "300ms",
    "DESKPULSE_ENGINE__SESSION_TIMEOUT": "4s",
}
"""More checkpoints to be hit, and the dead are missed sooner than with the defaults (1 s and 10 s)."""

Injector = Callable[["Scene"], Awaitable[str]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault. ``number``: as in the list of faults; ``fault``: in words, for the table.

    ``inject`` runs while the load is on and answers a note; ``seconds``: how long most of the load takes. ``starts``: the workers
    are started with the load, else by the injector;
    ``holds_load``: the load waits for ``Scene.begin_load``. ``ends_in_refusal``: nothing can be compared. ``late``: the load has
    events behind what was declared; ``contradicted``: one id with two contents. ``quick``: the one of its kind that CI runs.
    """

    name: str
    number: str
    kind: str
    fault: str
    inject: Injector
    workers: int = 1
    events: int = 20_000
    seconds: float = 20.0
    stage: Kind = "shared"
    environment: Mapping[str, str] = field(default_factory=dict)
    feed: Callable[[Feed], Feed] = lambda feed: feed
    starts: bool = True
    holds_load: bool = False
    ends_in_refusal: bool = False
    late: bool = False
    left_out: str = ""
    contradicted: bool = False
    quick: bool = False


@dataclass
class Outcome:
    """A row of the table."""

    case: Case
    faults: int
    seconds: float
    differences: int | None
    rows: int
    standstill: float
    note: str
    problems: list[str]
    sent: int = 0

    @property
    def ok(self) -> bool:
        return not self.differences and not self.problems


class Scene:
    """What an injector has in hand."""

    def __init__(self, case: Case, stage: Stage, directory: Path, *, quick: bool = False, seed: int = 7) -> None:
        self.case = case
        self.stage = stage
        self.directory = directory
        self.chance = random.Random(seed)
        self.quick = quick
        self.faults = 0
        self._begun = asyncio.Event()
        self.watermark: int | None = None
        self.clock = 0
        self.standstill = 0.0
        self.published_rows = 0
        plan = Plan(data="simulated", events=case.events // 2 if quick else case.events, seed=seed)
        feed, self.outline = feed_of(plan)
        self.feed = case.feed(feed)
        self.environment = {**ENGINE, "DESKPULSE_KAFKA__REPLICATION_FACTOR": str(stage.replication), **case.environment}
        file = directory / "deskpulse.toml"
        file.write_text(configuration(plan, stage.bootstrap, f"faults-{uuid.uuid4().hex[:8]}", self.outline), encoding="utf-8")
        self.settings: Settings = load_settings(file, self.environment)
        self.crew = Crew(file, self.environment)
        topics = {name: self.settings.topic(name) for name in self.settings.active_inputs()}
        self.load = Load(self.feed, self.outline, topics, case.seconds)

    # -- for injectors

    def fault(self, count: int = 1) -> None:
        """One more fault was injected."""
        self.faults += count

    def rounds(self, many: int) -> int:
        """How often to do it: once in a quick run."""
        return 1 if self.quick else many

    def hire(self, count: int = 1, seam: Seam | None = None) -> list[Worker]:
        """Start workers."""
        return [self.crew.start(seam) for _ in range(count)]

    def begin_load(self) -> None:
        """For a case that holds it."""
        self._begun.set()

    async def share_sent(self, share: float) -> None:
        """Wait until this share of the load was sent."""
        await until(lambda: self.load.share >= share)

    async def figures_move(self, within: float = 90.0) -> float:
        """Wait until newer figures than now were published; answers the seconds. Raises ``TimeoutError``."""
        before, began = self.watermark, time.monotonic()
        await until(lambda: self.watermark != before, within)
        return time.monotonic() - began

    async def ready(self) -> None:
        """Wait until every worker that lives is ready."""
        await asyncio.gather(*(worker.ready() for worker in self.crew.alive))

    def topic(self, logical: str) -> str:
        return self.settings.topic(logical)

    # -- the play

    async def play(self) -> Outcome:
        """Raises what went wrong: ``WorkerFailedError``, ``TimeoutError``."""
        began = time.monotonic()
        write_events(self.directory / INPUT, self.feed.events(), simulated=self.feed.simulated)
        await create_topics(self.stage.direct, specs_of(self.settings), self.stage.replication)
        try:
            note, problems = await self._under_load()
            if self.case.ends_in_refusal:
                return self._outcome(began, note, problems, None, 0)
            took = await self.crew.leave()
            problems += [f"the slowest worker took {took:.1f} s to stop"] if took > 10 else []
            return await self._judge(began, note, problems)
        finally:
            self.crew.close()

    async def _under_load(self) -> tuple[str, list[str]]:
        if self.case.starts:
            self.hire(self.case.workers)
        async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch())
            checking = tasks.create_task(self._check())
            feeding = tasks.create_task(self._feed())
            note = await self.case.inject(self)
            self.load.hurry()
            if self.case.ends_in_refusal:
                feeding.cancel()
            else:
                await feeding
            if not self.case.ends_in_refusal:
                await until(lambda: (self.watermark or 0) >= self.outline.final_instant)
                await self._until_quiet()
            watching.cancel()
            checking.cancel()
        return note, []

    async def _feed(self) -> None:
        if self.case.holds_load:
            await self._begun.wait()
        await self.load.send_all(self.stage.bootstrap)

    async def _check(self) -> None:
        while True:
            self.crew.check()
            await asyncio.sleep(0.3)

    async def _watch(self) -> None:
        """Follow the published watermark, and how long it stood still while there was load."""
        if self.case.holds_load:
            await self._begun.wait()
        reader = published.WatermarkReader(self.stage.direct, self.settings.topic("kpis"))
        await reader.start()
        try:
            moved = time.monotonic()
            while True:
                await reader.read()
                self.clock, self.published_rows = reader.clock, reader.rows
                now = time.monotonic()
                if reader.watermark != self.watermark:
                    if self.watermark is not None:
                        self.standstill = max(self.standstill, now - moved)
                    self.watermark, moved = reader.watermark, now
        finally:
            await reader.stop()

    async def _until_quiet(self) -> None:
        names = [self.settings.topic(name) for name in ("kpi-windows", "panes")]
        known: tuple[object, ...] = ()
        since = time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            found = (self.published_rows, await published.ends(self.stage.direct, names))
            if found != known:
                known, since = found, time.monotonic()
            await asyncio.sleep(0.3)

    async def _judge(self, began: float, note: str, problems: list[str]) -> Outcome:
        bootstrap = self.stage.direct
        await published.write_rows(bootstrap, {name: self.topic(name) for name in ("kpis", "kpi-windows")}, self.directory / PUBLISHED)
        found, breached = await verdict.look(bootstrap, self.settings, left_out=self.case.left_out, contradicted=self.case.contradicted)
        assert self.watermark is not None
        comparison, _ = await asyncio.to_thread(judge, self.directory, self.settings.definitions(), self.watermark, self.clock)
        verdict.false_alarms(self.directory, breached, found, late=self.case.late)
        problems += found.problems[:SHOWN] + [str(difference) for difference in comparison.differences[:SHOWN]]
        words = "; ".join(part for part in (note, self._remarks(found)) if part)
        outcome = self._outcome(began, words, problems, sum(comparison.by_kpi.values()), comparison.rows)
        outcome.sent = found.counters["sent"]
        return outcome

    def _remarks(self, found: verdict.Verdict) -> str:
        counters = found.counters
        remarks = {
            "duplicates": counters["duplicates"],
            "conflicts": counters["conflicts"],
            "full rows refused": counters["row_full"],
            "dead letters": found.dead_letters.total(),
            "breaches taken back": found.retracted,
            "outputs repeated with the same id": found.repeated,
        }
        return ", ".join(f"{amount} {name}" for name, amount in remarks.items() if amount)

    def _outcome(self, began: float, note: str, problems: list[str], differences: int | None, rows: int) -> Outcome:
        return Outcome(
            self.case, self.faults, time.monotonic() - began, differences, rows, self.standstill, note, problems, self.case.events
        )


def keep_directory() -> Path | None:
    """``$DESKPULSE_FAULTS_KEEP``: where the files of a run stay, for whoever looks for the reason of a failure."""
    chosen = os.environ.get("DESKPULSE_FAULTS_KEEP")
    return Path(chosen) if chosen else None

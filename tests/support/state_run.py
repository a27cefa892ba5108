"""One installation on a real broker for tests of ``deskpulse state``: workers, a feed in pieces, the command line, the oracle."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream_app.feeds.event_file import write_events
from stream_app.feeds.feed import FeedEvent, FeedOutline
from stream_app.feeds.replay import ReplayPlan, replay
from stream_app.settings import load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.oracle import published
from tests.oracle.compare import Comparison
from tests.oracle.harness import INPUT, PUBLISHED, QUIET_SECONDS, Plan, configuration, feed_of, judge
from tests.oracle.workers import WorkerPool
from tests.support.waiting import eventually_async

Stuff = tuple[bytes, bytes | None]


class Piece:
    """Some of a feed's events, declared complete up to what the rest can no longer undercut."""

    name, simulated, zone = "piece", True, "UTC"

    def __init__(self, events: list[FeedEvent], outline: FeedOutline) -> None:
        self._events, self._outline = events, outline

    def events(self) -> Iterator[FeedEvent]:
        return iter(self._events)

    def outline(self) -> FeedOutline:
        return self._outline


class StateRun:
    """``feed`` sends pieces of simulated traffic, ``command`` runs ``deskpulse``, ``differences`` asks the oracle."""

    def __init__(self, bootstrap: str, prefix: str, directory: Path, events: int, workers: int = 1) -> None:
        plan = Plan(data="simulated", events=events)
        feed, self.outline = feed_of(plan)
        self.events = list(feed.events())
        self.directory = directory
        self.file = directory / "deskpulse.toml"
        text = configuration(plan, bootstrap, prefix, self.outline)
        self.file.write_text(
            text.replace('"hour", "day"', '"day"'), encoding="utf-8"
        )  # hours of small groups are the oracle's own runs' business
        write_events(directory / INPUT, self.events, simulated=True)
        self.settings = load_settings(self.file, {})
        self.bootstrap = bootstrap
        self.workers = WorkerPool(self.file, directory, workers)
        self.watermark = published.WatermarkReader(bootstrap, self.settings.topic("kpis"))

    async def create_topics(self) -> None:
        await create_topics(self.bootstrap, specs_of(self.settings))

    async def feed(self, first: int, last: int) -> int:
        """Send a slice of the events; the instant up to which that is complete."""
        piece = self.events[first:last]
        final = self.outline.final_instant if last >= len(self.events) else piece[-1].occurred_at - self.outline.disorder_ms - 1
        topics = {name: self.settings.topic(name) for name in self.settings.active_inputs()}
        await replay(Piece(piece, self.outline._replace(final_instant=final)), self.bootstrap, ReplayPlan(topics=topics))
        return final

    async def processed(self, up_to: int) -> None:
        """Wait until the published watermark is there."""

        async def there() -> bool:
            self.workers.check()
            await self.watermark.read()
            return (self.watermark.watermark or 0) >= up_to

        await eventually_async(there, within_seconds=120, what=f"a watermark of {up_to}")

    async def quarantined(self) -> None:
        """Wait until a worker says that it quarantines a partition."""

        async def said() -> bool:
            return any("quarantined" in log.read_text() for log in self.directory.glob("worker-*.log"))

        await eventually_async(said, within_seconds=60, what="a quarantined partition")

    async def stop(self) -> None:
        codes = await asyncio.to_thread(self.workers.stop)
        assert set(codes) == {0}, (codes, [log.read_text()[-3000:] for log in self.directory.glob("worker-*.log")])
        self.workers.processes = [None] * len(self.workers.processes)
        for log in self.directory.glob("worker-*.log"):
            log.unlink()

    async def write(self, topic: str, partition: int, *records: Stuff) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            for key, value in records:
                await producer.send_and_wait(self.settings.topic(topic), value, key, partition)
        finally:
            await producer.stop()

    async def shorten(self, topic: str, partition: int, before: int) -> None:
        """What retention does: records before the offset leave the log."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(self.settings.topic(topic), partition): RecordsToDelete(before_offset=before)})
        finally:
            await admin.close()

    async def newest(self, topic: str) -> dict[bytes, Any]:
        """By the greatest fence."""
        newest: dict[bytes, Any] = {}
        async for record in published.records(self.bootstrap, self.settings.topic(topic)):
            if record.value is None:
                newest.pop(record.key, None)
                continue
            value = orjson.loads(record.value)
            if record.key not in newest or value["fence"] >= newest[record.key]["fence"]:
                newest[record.key] = value
        return newest

    async def ids(self, topic: str) -> Counter[str]:
        """How often each id was sent."""
        return Counter([orjson.loads(record.value)["id"] async for record in published.records(self.bootstrap, self.settings.topic(topic))])

    async def settled(self) -> None:
        """Wait until nothing more is published for a while."""
        names = [self.settings.topic(name) for name in ("kpi-windows", "panes")]
        known: tuple[object, ...] = ()
        since = time.monotonic()

        async def quiet() -> bool:
            nonlocal known, since
            await self.watermark.read()
            found = self.watermark.rows, await published.ends(self.bootstrap, names)
            if found != known:
                known, since = found, time.monotonic()
            return time.monotonic() - since > QUIET_SECONDS

        await eventually_async(quiet, within_seconds=120, what="quiet")

    async def command(self, *words: str) -> tuple[int, str]:
        """``deskpulse state …``: exit code and everything printed."""
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream_app.cli", "--config", str(self.file), "state", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(started.communicate(), 120)
        return started.returncode or 0, output.decode()

    async def differences(self) -> Comparison:
        """Every published KPI against the truth of all events."""
        topics = {name: self.settings.topic(name) for name in ("kpis", "kpi-windows")}
        await published.write_rows(self.bootstrap, topics, self.directory / PUBLISHED)
        assert self.watermark.watermark is not None
        arguments = self.directory, self.settings.definitions(), self.watermark.watermark, self.watermark.clock
        found, _ = await asyncio.to_thread(judge, *arguments)
        return found

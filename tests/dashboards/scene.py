"""A real worker on a real Kafka under simulated traffic, and a real Prometheus that scrapes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from stream_app.brokers.loopback import HOST, free_ports
from stream_app.demonstration.processes import Children
from stream_app.demonstration.waiting import answer
from stream_app.feeds.live import LiveFeed, LivePlan
from stream_app.feeds.replay import ReplayPlan, replay
from stream_app.feeds.sender import KafkaSender, new_producer
from stream_app.settings import Settings, load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.support.prometheus import Prometheus, scraping
from tests.support.waiting import eventually

MINUTE = 60_000
DAY = 1440 * MINUTE
RATE = 20.0
HISTORY = "20m"
LONG_AGO = LivePlan(rate=0.1, history_ms=DAY // 2, seconds=1.0, seed=1)
"""Some contacts of more than a week ago: only they can be resolved at first contact for good."""
READY_SECONDS = 40.0
OK = 200


@dataclass(frozen=True)
class Scene:
    """Where Prometheus is, and what the worker has said when it is needed for an explanation."""

    prometheus: str
    children: Children


@contextmanager
def scene(bootstrap: str, prefix: str, directory: Path) -> Iterator[Scene]:
    """Everything runs and the worker is ready; everything started is ended with the block."""
    port = free_ports(1)[0]
    file = directory / "deskpulse.toml"
    file.write_text(_configuration(bootstrap, prefix, port))
    settings = load_settings(file, {})
    asyncio.run(_prepare(settings))
    children = Children(directory, {"DESKPULSE_CONFIG": str(file)})
    try:
        children.start("simulator", ["simulate", "--live", "--rate", f"{RATE:g}", "--history", HISTORY, "--seed", "1"])
        children.start("worker", ["worker"])
        eventually(lambda: _ready(children, port), within_seconds=READY_SECONDS, what="a ready worker")
        with Prometheus(scraping([f"{HOST}:{port}"], interval="1s")) as prometheus:
            eventually(lambda: prometheus.query("deskpulse_ready"), what="a first scrape")
            asyncio.run(_send_rarities(settings))
            yield Scene(prometheus.url, children)
    finally:
        children.stop()


def _configuration(bootstrap: str, prefix: str, port: int) -> str:
    inputs = "".join(f'[inputs.{name}]\ntopic = "{prefix}-{name}"\npartitions = 2\n' for name in ("contacts", "resolutions", "surveys"))
    return (
        f'[kafka]\nbootstrap_servers = "{bootstrap}"\ntopic_prefix = "{prefix}"\ngroup_prefix = "{prefix}"\nlog_partitions = 2\n'
        f'[engine]\npublish_interval = "200ms"\n[kpis]\nzone = "{_zone_of_noon()}"\n[metrics]\nport = {port}\n{inputs}'
    )


def _zone_of_noon() -> str:
    """Where it is between 12 and 13 h now: the traffic of the last minutes is always today's."""
    ahead = datetime.now(UTC).hour - 12
    return f"Etc/GMT{ahead:+d}"


async def _prepare(settings: Settings) -> None:
    bootstrap = settings.kafka.bootstrap_servers
    await create_topics(bootstrap, specs_of(settings))
    topics = {name: settings.topic(name) for name in settings.active_inputs()}
    await replay(LiveFeed(LONG_AGO, _now() - 8 * DAY), bootstrap, ReplayPlan(topics=topics, declare=False))


async def _send_rarities(settings: Settings) -> None:
    producer = new_producer(settings.kafka.bootstrap_servers)
    await producer.start()
    try:
        sender = KafkaSender(producer)
        for value in _rarities(_now()):
            await sender.send(settings.topic("contacts"), 0, None, value)
        await sender.flush()
    finally:
        await producer.stop()


def _rarities(now: int) -> Iterator[bytes]:
    """What the simulator makes seldom or never: no event at all, one older than the horizon, an answer before its call, a caller who gave up."""
    call = {"case_id": "rare-1", "contact_id": "rare-1", "queue": "billing", "channel": "phone", "priority": "normal", "customer_id": "rare"}
    left = {**call, "case_id": "rare-3", "contact_id": "rare-3"}
    yield b"no event"
    yield orjson.dumps({**call, "type": "contact.opened", "occurred_at": now - 60 * DAY, "case_id": "rare-2", "contact_id": "rare-2"})
    yield orjson.dumps({**call, "type": "contact.opened", "occurred_at": now - MINUTE})
    yield orjson.dumps({**call, "type": "contact.answered", "occurred_at": now - 2 * MINUTE, "representative_id": "r1"})
    yield orjson.dumps({**left, "type": "contact.opened", "occurred_at": now - 3 * MINUTE})
    yield orjson.dumps({**left, "type": "contact.abandoned", "occurred_at": now - 2 * MINUTE})


def _ready(children: Children, port: int) -> bool:
    children.check()
    return answer(f"http://{HOST}:{port}/readyz")[0] == OK


def _now() -> int:
    return int(time.time() * 1000)

"""What senders do wrong: bytes of all sorts, the same again, something else under the same id, late, all on one key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from stream_app.engine import ExitCode
from stream_app.feeds.feed import Feed, FeedEvent, FeedOutline
from tests.component.test_bad_input import BAD
from tests.faults.scene import Scene
from tests.faults.seams import Seam

HOUR = 3_600_000
POISON = "poison"
HOT_EVENTS = 20_000


@asynccontextmanager
async def producing(scene: Scene) -> AsyncIterator[AIOKafkaProducer]:
    """A sender beside the load."""
    producer = AIOKafkaProducer(bootstrap_servers=scene.stage.direct, acks="all", max_request_size=12_000_000)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def bad_bytes(scene: Scene) -> str:
    """Every kind of bad message, null keys and values, mixed into the load; sent once each per round into a topic and partition at random."""
    async with producing(scene) as producer:
        for _ in range(scene.rounds(3)):
            for value in (*(value for value, _, _ in BAD.values()), None, b"\x00" * 64):
                name = scene.topic(scene.chance.choice(("contacts", "resolutions", "surveys")))
                keys = (b"", b"case-1", b"\xff\xfe", *(() if value is None else (None,)))  # no client sends neither key nor value
                key = scene.chance.choice(keys)
                await producer.send_and_wait(name, value, key=key, partition=scene.chance.randrange(4))
                scene.fault()
                await asyncio.sleep(0.1)
    return f"{len(BAD) + 2} kinds, three times"


async def bad_bytes_and_kills(scene: Scene) -> str:
    """The same while workers die: a dead letter may come twice then, with the same origin."""
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(bad_bytes(scene))
        for _ in range(4):
            victim = scene.chance.choice(scene.crew.alive)
            await victim.ready()
            await asyncio.sleep(scene.chance.uniform(0.2, 2))
            victim.kill()
            scene.fault()
            scene.hire()
    return f"{sending.result()}; 4 kills"


async def again(scene: Scene) -> str:
    """Events that were sent before are sent again, as they were; others under a known id with another content, dated later."""
    repeated = contradicted = 0
    async with producing(scene) as producer:
        while scene.load.share < 0.75:
            for event in scene.chance.sample(scene.load.sent_events, k=min(50, scene.load.sent)):
                body: dict[str, Any] = dict(event.event)
                if scene.chance.random() < 0.3 and "case_id" in body and body["type"] != "contact.recorded":
                    body |= {"occurred_at": event.occurred_at + 1, "queue": "elsewhere"}
                    contradicted += 1
                else:
                    repeated += 1
                partition = scene.chance.randrange(4)
                await producer.send(scene.topic(event.topic), orjson.dumps(body), key=event.key, partition=partition)
                scene.fault()
            await producer.flush()
            await asyncio.sleep(0.5)
    return f"{repeated} repeated, {contradicted} contradicted"


class Late:
    """A feed in which one event in fifty comes hours to days after its sender has declared everything of its time complete."""

    simulated, zone = True, "UTC"

    def __init__(self, feed: Feed) -> None:
        self.name = feed.name
        self._feed = feed

    def outline(self) -> FeedOutline:
        return self._feed.outline()

    def events(self) -> Iterator[FeedEvent]:
        def turn(numbered: tuple[int, FeedEvent]) -> int:
            number, event = numbered
            return event.occurred_at + (number % 97 * HOUR // 2 if number % 50 == 0 else 0)

        return (event for _, event in sorted(enumerate(self._feed.events()), key=turn))


class OneQueue(Late):
    """A feed with nine tenths of its cases in one queue."""

    def events(self) -> Iterator[FeedEvent]:
        for event in self._feed.events():
            body = dict(event.event)
            for name in ("queue", "to_queue"):
                if name in body and hash_of(event.key) % 10:
                    body[name] = "billing"
            yield event._replace(event=body)


def hash_of(key: bytes) -> int:
    """The same in every process."""
    return sum(key) * 2_654_435_761 >> 7


async def nothing(_scene: Scene) -> str:
    """The load itself is the fault."""
    _scene.fault()
    await _scene.share_sent(0.7)
    return ""


async def hot_case(scene: Scene) -> str:
    """One case with 20,000 events (an internal one, which counts nowhere): its row is full, everything else goes on."""
    at = scene.outline.first_instant
    opened = {"type": "contact.opened", "event_id": "hot-0", "occurred_at": at, "case_id": "hot", "flags": ["internal"], "queue": "billing"}
    async with producing(scene) as producer:
        await producer.send_and_wait(scene.topic("contacts"), orjson.dumps(opened), key=b"hot", partition=0)
        for number in range(1, HOT_EVENTS):
            body = {"type": "message.customer", "event_id": f"hot-{number}", "occurred_at": at + number, "case_id": "hot"}
            await producer.send(scene.topic("contacts"), orjson.dumps(body), key=b"hot", partition=0)
            if number % 1000 == 0:
                await producer.flush()
                await asyncio.sleep(0.2)
        await producer.flush()
    scene.fault()
    return f"{HOT_EVENTS} events of one case"


async def handler_fails_once(scene: Scene) -> str:
    """A handler that raises for one case: its events are dead letters, everything else goes on."""
    scene.hire(scene.case.workers, Seam(fails_on=f"{POISON}-1"))
    await scene.ready()
    body = {"type": "contact.opened", "event_id": POISON, "occurred_at": scene.outline.first_instant, "case_id": f"{POISON}-1"}
    async with producing(scene) as producer:
        for number in range(3):
            await producer.send_and_wait(scene.topic("contacts"), orjson.dumps(body | {"event_id": f"{POISON}-{number}"}), partition=1)
            scene.fault()
    await scene.share_sent(0.5)
    return "handler_error, no restart"


async def handler_fails_always(scene: Scene) -> str:
    """A version whose handler always raises meets a backlog: it stops and commits nothing; the version before takes over."""
    await scene.share_sent(0.2)
    await scene.ready()
    await scene.crew.leave()
    await scene.share_sent(0.5)
    [broken] = scene.hire(seam=Seam(fails_on="*"))
    took = await broken.ended(ExitCode.FAILED)
    if "records in a row could not be handled" not in broken.log:
        raise AssertionError(broken.tail())
    scene.fault()
    scene.hire(scene.case.workers)
    return f"exit {int(ExitCode.FAILED)} after {took:.1f} s, 25 failures in a row"

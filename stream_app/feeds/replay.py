"""Sending a feed into the input topics, with the sender's word on how far it is complete."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import orjson

from stream_app.feeds.feed import Feed, FeedEvent, FeedOutline
from stream_app.feeds.rebase import Rebase
from stream_app.feeds.sender import SIMULATED_HEADERS, KafkaSender, Sender, new_producer, partition_counts, partition_of
from stream_app.kafka_access.granted import require_access
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import PLAIN, ClientSecurity

Order = Literal["time", "shuffled", "resolutions_first"]
PROGRESS_EVERY = 5000
"""Events between two declarations of progress; each waits for all acknowledgements before it."""
PACE_SECONDS = 0.1
"""With a speed: how long events are collected before they are sent."""
LONGEST_SILENCE_SECONDS = 1.0
"""With a speed: how long progress stands still while the next event is not due."""


@dataclass(frozen=True, kw_only=True)
class ReplayPlan:
    """How a feed is sent.

    ``topics``: name on the broker of each logical topic. ``speed``: event seconds per second, None for as
    fast as it goes. ``order``: any but ``time`` ignores speed and declares progress once, at the end.
    ``declare``: whether progress is declared at all (a live pipeline keeps its own time).
    ``seed`` is the shuffle's. ``paced_from``: event time (ms) at which the pace begins, what is older goes at once;
    None: the first event's.
    """

    topics: Mapping[str, str]
    speed: float | None = None
    order: Order = "time"
    declare: bool = True
    rebase: Rebase | None = None
    paced_from: int | None = None
    seed: int = 1
    progress_every: int = PROGRESS_EVERY
    on_progress: Callable[[int], None] = lambda _: None


@dataclass
class Sent:
    """What was sent: events per logical topic, and the event time up to which the feed was declared complete."""

    events: Counter[str] = field(default_factory=Counter)
    declared_up_to: int | None = None


async def replay(
    feed: Feed, bootstrap: str, plan: ReplayPlan, *, outline: FeedOutline | None = None, security: ClientSecurity = PLAIN
) -> Sent:
    """Send the whole feed to a broker and return once everything is acknowledged.

    Raises ``LookupError`` for a topic that does not exist, ``AccessDeniedError`` where we may not write, and Kafka's errors.
    """
    await require_access(bootstrap, security, [Right("topic", topic, "Write") for topic in plan.topics.values()])
    producer = new_producer(bootstrap, security)
    await producer.start()
    try:
        sender = KafkaSender(producer, headers=SIMULATED_HEADERS if feed.simulated else ())
        return await send_feed(feed, sender, plan, outline=outline)
    finally:
        await producer.stop()


async def send_feed(feed: Feed, sender: Sender, plan: ReplayPlan, *, outline: FeedOutline | None = None) -> Sent:
    """``replay`` on a sender of the caller's choice."""
    known = outline or feed.outline()
    sending = _Sending(sender, plan, await partition_counts(sender, plan.topics.values()))
    events = feed.events() if plan.rebase is None else plan.rebase.apply(feed.events())
    if plan.order == "time":
        await sending.in_time(events, known.disorder_ms)
    else:
        await sending.in_other_order(events)
    if plan.declare:
        final = known.final_instant if plan.rebase is None else plan.rebase.instant(known.final_instant)
        await sending.declare(final)
    await sender.flush()
    plan.on_progress(max(sending.count, known.events))
    return sending.sent


class _Encoded(NamedTuple):
    topic: str
    key: bytes
    value: bytes


class _Sending:
    """One replay under way."""

    def __init__(self, sender: Sender, plan: ReplayPlan, partitions: Mapping[str, int]) -> None:
        self.sender = sender
        self.plan = plan
        self.partitions = partitions
        self.sent = Sent()
        self.count = 0

    async def in_time(self, events: Iterable[FeedEvent], disorder_ms: int) -> None:
        """Send in the order given, declaring as it goes what can no longer be undercut."""
        pace = _Pace(self.plan.speed if self.plan.rebase is None else self.plan.speed and 1.0, self.plan.paced_from)
        newest = 0
        for event in events:
            while pace.is_early(event.occurred_at):
                await self._declare_before(max(newest, pace.event_time()), disorder_ms)
                await pace.wait_for(event.occurred_at)
            newest = max(newest, event.occurred_at)
            if event.event["type"] == "source.progress":
                await self._pass_on(event)
                continue
            if self.count % self.plan.progress_every == 0 and self.count:
                await self._declare_before(newest, disorder_ms)
            await self._send(_encoded(event))

    async def in_other_order(self, events: Iterable[FeedEvent]) -> None:
        """Send in the plan's order, nothing declared on the way."""
        for number, event in enumerate(_reordered(events, self.plan)):
            await self._send(event)
            if number % self.plan.progress_every == 0:
                await self.sender.flush()
                self.plan.on_progress(self.count)

    async def declare(self, up_to: int, topic: str | None = None) -> None:
        """Once everything sent is acknowledged, tell every partition that nothing up to this instant will follow."""
        await self.sender.flush()
        value = orjson.dumps({"type": "source.progress", "occurred_at": up_to, "up_to": up_to})
        names = self.plan.topics.values() if topic is None else (self.plan.topics[topic],)
        for name in names:
            for partition in range(self.partitions[name]):
                await self.sender.send(name, partition, None, value)
        if topic is None:
            self.sent.declared_up_to = up_to

    async def _declare_before(self, newest: int, disorder_ms: int) -> None:
        """What is still to come is as old as ``newest`` less the disorder, at most."""
        if self.plan.declare and newest:
            scale = 1.0 if self.plan.rebase is None else self.plan.rebase.speed
            await self.declare(newest - round(disorder_ms / scale) - 1)
        await self.sender.flush()
        self.plan.on_progress(self.count)

    async def _pass_on(self, event: FeedEvent) -> None:
        """The feed's own declaration; where progress is not declared it is left out."""
        up_to = event.event["up_to"]
        if self.plan.declare and isinstance(up_to, int):
            await self.declare(up_to, event.topic)

    async def _send(self, event: _Encoded) -> None:
        name = self.plan.topics.get(event.topic)
        if name is None:
            raise LookupError(f"the feed has events for {event.topic!r}, which is none of {', '.join(self.plan.topics)}")
        await self.sender.send(name, partition_of(event.key, self.partitions[name]), event.key, event.value)
        self.sent.events[event.topic] += 1
        self.count += 1


def _encoded(event: FeedEvent) -> _Encoded:
    return _Encoded(event.topic, event.key, orjson.dumps(event.event))


def _reordered(events: Iterable[FeedEvent], plan: ReplayPlan) -> Iterator[_Encoded]:
    encoded = [_encoded(event) for event in events if event.event["type"] != "source.progress"]
    if plan.order == "shuffled":
        random.Random(plan.seed).shuffle(encoded)
        yield from encoded
        return
    for first in (True, False):
        yield from (event for event in encoded if (event.topic == "resolutions") is first)


class _Pace:
    """Holds events back until their time has come; without a speed none ever is early."""

    def __init__(self, speed: float | None, first: int | None) -> None:
        self.speed = speed
        self._began = time.monotonic()
        self._first = first

    def is_early(self, occurred_at: int) -> bool:
        if self.speed is None:
            return False
        if self._first is None:
            self._began, self._first = time.monotonic(), occurred_at
        return self._seconds_until(occurred_at) > PACE_SECONDS

    def event_time(self) -> int:
        """The instant whose turn it is, in epoch ms."""
        assert self.speed is not None
        assert self._first is not None
        return self._first + int((time.monotonic() - self._began) * 1000 * self.speed)

    async def wait_for(self, occurred_at: int) -> None:
        """Until its turn comes, but not longer than progress may stand still."""
        await asyncio.sleep(min(self._seconds_until(occurred_at), LONGEST_SILENCE_SECONDS))

    def _seconds_until(self, occurred_at: int) -> float:
        assert self.speed is not None
        assert self._first is not None
        return self._began + (occurred_at - self._first) / 1000 / self.speed - time.monotonic()

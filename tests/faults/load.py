"""The load: a feed sent at a steady pace that never runs out before the faults are over, with the sender's word on its progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import orjson

from stream_app.feeds.feed import Feed, FeedEvent, FeedOutline
from stream_app.feeds.sender import SIMULATED_HEADERS, KafkaSender, new_producer, partition_counts, partition_of

TICK_SECONDS = 0.2
LAST_FIFTH = 40
"""Of what is left at most this fraction goes with one tick: the load thins out while a long fault goes on."""
IN_A_HURRY = 1000


class Load:
    """Events in order of time; after each tick every source is told complete as far as nothing older can follow."""

    def __init__(self, feed: Feed, outline: FeedOutline, topics: Mapping[str, str], seconds: float) -> None:
        self._events = [event for event in feed.events() if event.event["type"] != "source.progress"]
        self._outline = outline
        self._topics = topics
        self._per_tick = max(1, int(len(self._events) * TICK_SECONDS / seconds))
        self._hurry = asyncio.Event()
        self.sent = 0

    @property
    def share(self) -> float:
        return self.sent / len(self._events)

    @property
    def sent_events(self) -> Sequence[FeedEvent]:
        """Those sent so far."""
        return self._events[: self.sent]

    def hurry(self) -> None:
        """The faults are over: the rest as fast as it goes."""
        self._hurry.set()

    async def send_all(self, bootstrap: str, on_sent: Callable[[], object] = lambda: None) -> None:
        """Return once everything is acknowledged, with the final declaration."""
        producer = new_producer(bootstrap)
        await producer.start()
        try:
            sender = KafkaSender(producer, headers=SIMULATED_HEADERS)
            partitions = await partition_counts(sender, self._topics.values())
            while self.sent < len(self._events):
                await self._tick(sender, partitions)
                on_sent()
            await self._declare(sender, partitions, self._outline.final_instant)
        finally:
            await producer.stop()

    async def _tick(self, sender: KafkaSender, partitions: Mapping[str, int]) -> None:
        left = len(self._events) - self.sent
        count = IN_A_HURRY if self._hurry.is_set() else max(1, min(self._per_tick, left // LAST_FIFTH))
        chunk = self._events[self.sent : self.sent + count]
        await self._send(sender, partitions, chunk)
        self.sent += len(chunk)
        newest = max(event.occurred_at for event in chunk)
        await self._declare(sender, partitions, newest - self._outline.disorder_ms - 1)
        if not self._hurry.is_set():
            await asyncio.sleep(TICK_SECONDS)

    async def _send(self, sender: KafkaSender, partitions: Mapping[str, int], chunk: Sequence[FeedEvent]) -> None:
        for event in chunk:
            name = self._topics[event.topic]
            await sender.send(name, partition_of(event.key, partitions[name]), event.key, orjson.dumps(event.event))
        await sender.flush()

    async def _declare(self, sender: KafkaSender, partitions: Mapping[str, int], up_to: int) -> None:
        value = orjson.dumps({"type": "source.progress", "occurred_at": up_to, "up_to": up_to})
        for name, count in partitions.items():
            for partition in range(count):
                await sender.send(name, partition, None, value)
        await sender.flush()

"""Produce-to-visible latency: from sending an event to the first published KPI that includes it.

Every ``contact.opened`` counts once in ``offered`` of the last hour. So the n-th of them is visible, at the latest,
when the published value reaches n. Times are this process's own clock on both ends.
"""

from __future__ import annotations

import asyncio
import json
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from bench.pipeline import SEED, consuming, new_pipeline
from bench.process import Worker
from stream_app.feeds.feed import INPUT_TOPICS
from stream_app.feeds.sender import partition_of
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.settings import Settings

TICK_SECONDS = 0.005
WARM_UP_SECONDS = 10.0
DRAIN_SECONDS = 20.0
VISIBLE = json.dumps(["offered", "60m", {}], separators=(",", ":")).encode()
EXEMPTING = {"case.flagged", "case.merged", "case.cancelled", "source.progress"}
"""Left out: they take contacts back, or speak of another time."""


@dataclass(frozen=True)
class Latency:
    """Seconds from produce to visible; ``cpu_share``: of one core, the worker's own."""

    compiled: bool
    rate: float
    measured: int
    p50: float
    p99: float
    worst: float
    cpu_share: float


class Feeding:
    """Sends events at an even pace and notes when each contact was opened."""

    def __init__(self, producer: AIOKafkaProducer, inputs: Mapping[str, str], partitions: int, rate: float) -> None:
        self.opened: list[float] = []
        self._producer, self._inputs, self._partitions, self._rate = producer, inputs, partitions, rate

    async def run(self, events: Iterator[tuple[str, bytes, dict[str, Any]]], seconds: float) -> None:
        began, sent = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - began) < seconds:
            due = int(elapsed * self._rate)
            while sent < due:
                await self._send(*next(events))
                sent += 1
            await asyncio.sleep(TICK_SECONDS)

    async def _send(self, topic: str, key: bytes, event: dict[str, Any]) -> None:
        event["occurred_at"] = int(time.time() * 1000)
        if event["type"] == "contact.opened":
            self.opened.append(time.perf_counter())
        await self._producer.send(self._inputs[topic], orjson.dumps(event), key, partition=partition_of(key, self._partitions))


def _events(count: int) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Simulated events without flags and without promised instants, as they are sent as of now."""
    for event in SimulatedFeed(SEED, count).events():
        if event.event["type"] in EXEMPTING:
            continue
        content = dict(event.event)
        for name in ("flags", "due", "promised_for"):
            content.pop(name, None)
        if str(content["type"]).startswith("commitment."):
            continue
        yield event.topic, event.key, content


async def latency_run(bootstrap: str, directory: Path, rate: float, seconds: float, *, compiled: bool = False) -> tuple[Latency, Settings]:
    """One worker at its defaults on empty topics, told the time by the wall clock. The settings name what it left in Kafka."""
    inputs = f"live-{int(time.time() * 1000):x}"
    configuration, settings = await new_pipeline(bootstrap, directory, inputs, declared=False)
    events = iter(list(_events(int(rate * (seconds + WARM_UP_SECONDS) * 1.1) + 1000)))
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks=1, linger_ms=0)
    await producer.start()
    feeding = Feeding(producer, {name: settings.topic(name) for name in INPUT_TOPICS}, 4, rate)
    seen: list[tuple[int, float]] = []
    try:
        with Worker(configuration, compiled=compiled) as worker:
            watching = asyncio.create_task(_watch(bootstrap, settings.topic("kpis"), seen))
            await _until_published(worker, settings, bootstrap)
            began = time.time()
            await feeding.run(events, WARM_UP_SECONDS + seconds)
            ended = time.time()
            await _until_seen(seen, len(feeding.opened), worker)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        await producer.stop()
    waits = _waits(feeding.opened, seen)
    cpu_share = worker.sampled.cpu_between(began + WARM_UP_SECONDS, ended) / seconds
    return Latency(compiled, rate, len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1], cpu_share), settings


async def _until_published(worker: Worker, settings: Settings, bootstrap: str) -> None:
    """Until the worker publishes at all."""
    async with consuming(bootstrap, settings.topic("kpis")) as consumer:
        while not await consumer.getmany(timeout_ms=200):
            worker.check()


async def _watch(bootstrap: str, topic: str, seen: list[tuple[int, float]]) -> None:
    async with consuming(bootstrap, topic) as consumer:
        while True:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                now = time.perf_counter()
                visible = (record.value for record in records if record.key == VISIBLE and record.value is not None)
                seen.extend((int(json.loads(value)["value"] or 0), now) for value in visible)


async def _until_seen(seen: list[tuple[int, float]], wanted: int, worker: Worker) -> None:
    limit = time.monotonic() + DRAIN_SECONDS
    while not seen or seen[-1][0] < wanted:
        worker.check()
        if time.monotonic() > limit:
            raise TimeoutError(f"published {seen[-1] if seen else None}, sent {wanted}")
        await asyncio.sleep(0.05)


def _waits(opened: list[float], seen: list[tuple[int, float]]) -> list[float]:
    """Seconds from sending to seeing, in order of length."""
    values: list[int] = []
    instants: list[float] = []
    for value, at in seen:
        if not values or value > values[-1]:
            values.append(value)
            instants.append(at)
    waits = []
    for number, sent in enumerate(opened, start=1):
        if sent >= opened[0] + WARM_UP_SECONDS:
            waits.append(instants[bisect_right(values, number - 1)] - sent)
    return sorted(waits)

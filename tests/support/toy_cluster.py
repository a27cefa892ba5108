"""Topics, traffic and workers for the engine's integration tests, and what the topics say afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition

from tests.support.waiting import eventually, eventually_async

PARTITIONS = 4
COMPACTED = {"cleanup.policy": "compact"}
TOPICS: dict[str, tuple[int, dict[str, str]]] = {
    "contacts": (PARTITIONS, {}),
    "events": (PARTITIONS, {"message.timestamp.type": "LogAppendTime"}),
    "cases-changelog": (PARTITIONS, COMPACTED),
    "panes": (1, COMPACTED),
    "kpis": (1, COMPACTED),
    "kpi-windows": (1, COMPACTED),
    "case-events": (PARTITIONS, {}),
    "dead-letters": (1, {}),
}
ROOT = Path(__file__).parents[2]


@dataclass
class Totals:
    """What the changelog says: count per key, sum over panes, next offset per partition."""

    rows: dict[bytes, int] = field(default_factory=dict)
    panes: int = 0
    offsets: dict[int, int] = field(default_factory=dict)

    @property
    def processed(self) -> int:
        return sum(self.offsets.values())


class Worker:
    """A worker process with its output in a file."""

    def __init__(self, options: dict[str, Any], log: Path) -> None:
        self.log_path = log
        self._file = log.open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.toy_worker", json.dumps(options)],
            stdout=self._file,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log
        return "\nready" in self.log or self.log.startswith("ready")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self, within_seconds: float = 20.0) -> int:
        return self.process.wait(within_seconds)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._file.close()


@dataclass
class ToyCluster:
    """One topic prefix on one broker."""

    bootstrap: str
    prefix: str
    directory: Path
    settings: dict[str, Any] = field(
        default_factory=lambda: {"session_timeout": 6.0, "heartbeat_interval": 1.0, "checkpoint_interval": 0.3}
    )
    workers: list[Worker] = field(default_factory=list)

    def topic(self, name: str) -> str:
        return f"{self.prefix}.{name}"

    async def create_topics(self, **other: tuple[int, dict[str, str]]) -> None:
        """All topics; ``other`` overrides some (``cases_changelog=(3, {})``)."""
        wanted = TOPICS | {name.replace("_", "-"): made for name, made in other.items()}
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.create_topics(
                [NewTopic(self.topic(name), count, 1, topic_configs=config) for name, (count, config) in wanted.items()]
            )
        finally:
            await admin.close()

    def worker(self, **options: Any) -> Worker:
        settings = self.settings | options.pop("settings", {})
        log = self.directory / f"worker-{len(self.workers)}.log"
        worker = Worker({"bootstrap": self.bootstrap, "prefix": self.prefix, "settings": settings, **options}, log)
        self.workers.append(worker)
        return worker

    def ready_worker(self, **options: Any) -> Worker:
        worker = self.worker(**options)
        eventually(worker.is_ready, within_seconds=30, what="a ready worker")
        return worker

    async def load(self, name: str, keys: list[bytes], value: bytes = b"x" * 100) -> Counter[bytes]:
        """One record per key, in order; answers the count per key."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=2)
        await producer.start()
        try:
            for key in keys:
                await producer.send(self.topic(name), value, key=key)
            await producer.flush()
        finally:
            await producer.stop()
        return Counter(keys)

    async def read(self, name: str) -> list[Any]:
        """All records of a topic."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            found = await consumer._client._wait_on_metadata(self.topic(name))
            tps = [TopicPartition(self.topic(name), partition) for partition in found]
            consumer.assign(tps)
            await consumer.seek_to_beginning()
            records: list[Any] = []
            done: set[TopicPartition] = set()
            while len(done) < len(tps):
                for fetched in (await consumer.getmany(timeout_ms=50)).values():
                    records += fetched
                for tp in tps:
                    highwater = consumer.highwater(tp)
                    if highwater is not None and await consumer.position(tp) >= highwater:
                        done.add(tp)
            return records
        finally:
            await consumer.stop()

    async def totals(self) -> Totals:
        """The changelog, merged forward only as a recovery would."""
        kept: dict[tuple[int, bytes], list[int]] = {}
        totals = Totals()
        for record in await self.read("cases-changelog"):
            fence, count = orjson.loads(record.value)
            if record.key == b"m":
                totals.offsets[record.partition] = max(totals.offsets.get(record.partition, 0), fence)
            elif (place := (record.partition, record.key)) not in kept or kept[place][0] < fence:
                kept[place] = [fence, count]
        totals.rows = {key[1:]: count for (_, key), (_, count) in kept.items() if key[:1] == b"r"}
        totals.panes = sum(count for (_, key), (_, count) in kept.items() if key[:1] == b"p")
        return totals

    async def processed(self, count: int, within_seconds: float = 60.0) -> Totals:
        """The totals once ``count`` records are covered by markers."""

        async def enough() -> Totals | None:
            totals = await self.totals()
            return totals if totals.processed >= count else None

        totals = await eventually_async(enough, within_seconds=within_seconds, what=f"{count} processed records")
        assert totals is not None
        return totals

    async def committed(self) -> dict[str, int]:
        """Committed offsets by ``<logical topic>-<partition>``."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.prefix)
        finally:
            await admin.close()
        return {f"{tp.topic.removeprefix(self.prefix + '.')}-{tp.partition}": found.offset for tp, found in offsets.items()}

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


@contextmanager
def toy_cluster(bootstrap: str, prefix: str, directory: Path) -> Iterator[ToyCluster]:
    cluster = ToyCluster(bootstrap, prefix, directory)
    try:
        yield cluster
    finally:
        cluster.close()


def keys_of(count: int, distinct: int = 200) -> list[bytes]:
    """``count`` keys in a fixed, scattered order."""
    return [b"key-%d" % (number * 7919 % distinct) for number in range(count)]

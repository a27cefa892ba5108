"""Topics that do not fit, state that cannot be read, offsets that are gone, recovery watched, compaction at the worst moment."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from models.durability.fence import pack
from models.durability.recovery import seal
from stream_app.engine import ExitCode
from stream_app.topics import specs_of
from tests.faults.crew import Worker
from tests.faults.inputs import producing
from tests.faults.scene import Scene
from tests.faults.seams import Seam
from tests.faults.waiting import until
from tests.oracle import published

CHANGELOG = "cases-changelog"
OFFERED = re.compile(r"^deskpulse_offered_contacts\{(.*)\} (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
COMPACTION_LAG = 60.0
EAGER = {"min.compaction.lag.ms": "60000", "max.compaction.lag.ms": "61000", "segment.ms": "2000", "min.cleanable.dirty.ratio": "0.001"}
"""Compacts whatever is older than the lag. The lag is a minute in place of an hour; rows are written again as much sooner."""


@asynccontextmanager
async def administering(scene: Scene) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=scene.stage.direct)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def configure(scene: Scene, logical: str, changes: Mapping[str, str]) -> None:
    """Change settings of a topic; the others stay as the product makes them."""
    name = scene.topic(logical)
    [spec] = [spec for spec in specs_of(scene.settings) if spec.name == name]
    async with administering(scene) as admin:
        answers = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {**spec.config, **changes})])
    for answer in answers:
        for code, message, *_ in answer.resources:
            assert code == 0, message


async def remake(scene: Scene, logical: str, partitions: int) -> None:
    """Delete a topic and make it anew."""
    name = scene.topic(logical)
    [spec] = [spec for spec in specs_of(scene.settings) if spec.name == name]
    async with administering(scene) as admin:
        await admin.delete_topics([name])
        new = NewTopic(name, partitions, 1, topic_configs=dict(spec.config))

        async def exists() -> bool:
            return name in await admin.list_topics()

        async def is_gone() -> bool:
            return not await exists()

        async def is_made() -> bool:
            return not (await admin.create_topics([new])).topic_errors[0][1]

        for condition in (is_gone, is_made, exists):
            await until(condition, 30)


async def mismatch(scene: Scene) -> str:
    """The changelog has fewer partitions than its log."""
    await remake(scene, CHANGELOG, 3)
    [worker] = scene.hire()
    took = await worker.ended(ExitCode.REFUSED)
    scene.fault()
    assert "must be equal" in worker.log, worker.tail()
    await remake(scene, CHANGELOG, 4)
    scene.hire(scene.case.workers)
    scene.begin_load()
    await scene.ready()
    return f"exit {int(ExitCode.REFUSED)} after {took:.1f} s with the way out; goes on once they fit"


async def corrupt(scene: Scene) -> str:
    """A record nobody of ours wrote in a partition of the changelog, in four forms; quarantine, and `state rebuild`."""
    far = pack(1000, 2**40)
    forms = {
        "in the middle": (b"rcorrupt", b"bad"),
        "as the last": (b"rcorrupt", b"\x00"),
        "a key of no kind": (b"\xff\x00key", seal(far, b"\x90")),
        "a wrong type": (b"rcorrupt", seal(far, msgspec.msgpack.encode({"not": "a row"}))),
    }
    for number, (form, (key, value)) in list(enumerate(forms.items()))[: scene.rounds(4)]:
        await scene.share_sent(0.1 + 0.15 * number)
        await scene.ready()
        if form != "in the middle":
            await scene.crew.leave()
        async with producing(scene) as producer:
            await producer.send_and_wait(scene.topic(CHANGELOG), value, key=key, partition=number)
        scene.fault()
        if form == "in the middle":
            await asyncio.sleep(1.5)
            await scene.crew.leave()
        await _quarantined(scene, number)
        await asyncio.to_thread(_command, scene, "state", "rebuild", "--processor", "cases", "--partition", str(number))
        scene.hire(scene.case.workers)
    return "middle, last, key, type: that partition quarantined and not ready, the others go on; `state rebuild`"


async def _quarantined(scene: Scene, partition: int) -> None:
    [worker] = scene.hire()
    await worker.says("is quarantined")
    assert f"events-{partition} is quarantined" in worker.log, worker.tail()
    others = [number for number in range(4) if number != partition]
    before = await _ends(scene, others)

    async def go_on() -> bool:
        return all(now > then for now, then in zip(await _ends(scene, others), before, strict=True))

    await until(go_on, 60, 0.3)
    status, reasons = await worker.fetch("/readyz")
    assert status == 503, reasons
    await worker.leave()


async def _ends(scene: Scene, partitions: list[int]) -> list[int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=scene.stage.direct, enable_auto_commit=False)
    await consumer.start()
    try:
        found = await consumer.end_offsets([TopicPartition(scene.topic(CHANGELOG), number) for number in partitions])
        return [found[tp] for tp in sorted(found)]
    finally:
        await consumer.stop()


def _command(scene: Scene, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "stream_app.cli", "--config", str(scene.directory / "deskpulse.toml"), *words],
        capture_output=True,
        text=True,
        env={**os.environ, **scene.environment},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


async def retention_passed(scene: Scene) -> str:
    """The input's retention passed while nobody read: events are gone that nobody has seen; the worker says so and stops."""
    await scene.share_sent(0.2)
    await scene.ready()
    await scene.figures_move()
    await scene.crew.leave()
    await scene.share_sent(0.5)
    name = scene.topic("contacts")
    async with administering(scene) as admin:
        gone = {TopicPartition(name, number): RecordsToDelete(before_offset=-1) for number in range(4)}
        await admin.delete_records(gone)
    scene.fault()
    [worker] = scene.hire()
    took = await worker.ended(ExitCode.OFFSET_OUT_OF_RANGE)
    assert "Way out: reset the offsets of group" in worker.log, worker.tail()
    return f"exit {int(ExitCode.OFFSET_OUT_OF_RANGE)} after {took:.1f} s: names the offset, what the topic holds, and the way out"


async def log_made_anew(scene: Scene) -> str:
    """The canonical log was deleted and made anew: its state no longer fits."""
    await scene.share_sent(0.2)
    await scene.ready()
    await scene.figures_move()
    await scene.crew.leave()
    await remake(scene, "events", 4)
    scene.fault()
    [worker] = scene.hire()
    took = await worker.ended(ExitCode.OFFSET_OUT_OF_RANGE)
    assert "made anew" in worker.log, worker.tail()
    return f"exit {int(ExitCode.OFFSET_OUT_OF_RANGE)} after {took:.1f} s: names the offset, what the topic holds, and the way out"


async def sends_fail(scene: Scene) -> str:
    """The broker refuses what the worker writes, for good: it ends at once and commits nothing; put right, a new one goes on."""
    await scene.ready()
    await scene.figures_move()
    [worker] = scene.crew.alive
    await configure(scene, CHANGELOG, {"max.message.bytes": "100"})
    took = await worker.ended(ExitCode.FAILED)
    scene.fault()
    await configure(scene, CHANGELOG, {})
    scene.hire(scene.case.workers)
    return f"exit {int(ExitCode.FAILED)} after {took:.1f} s"


async def recovery(scene: Scene) -> str:
    """A slow recovery, watched: not ready, and no gauge below the last published figure, before everything is read back."""
    proxy = scene.stage.proxy
    assert proxy is not None
    await scene.share_sent(0.6)
    await scene.ready()

    async def any_figures() -> bool:
        return bool(await _offered(scene))

    # The first publications may hold the watermark alone.
    await until(any_figures, 90)
    for worker in scene.crew.alive:
        worker.kill()
    scene.fault()
    before = await _offered(scene)
    proxy.bytes_per_second = 2_000_000
    [worker] = scene.hire()
    looks, shown, seconds = await _watch_recovery(worker, before)
    proxy.bytes_per_second = None
    await scene.figures_move()
    [(records, _)] = re.findall(r"recovered \d+ partitions from (\d+) records in ([\d.]+) s", worker.log)
    return (
        f"{records} records in {seconds:.0f} s through a slow network: 503 all the time; of {looks} looks at the gauges {shown} showed any,"
        " and those the whole last published figures"
    )


async def _offered(scene: Scene) -> dict[frozenset[tuple[str, str]], float]:
    """Offered contacts of 28 days by group, as last published."""
    found: dict[frozenset[tuple[str, str]], float] = {}
    async for record in published.records(scene.stage.direct, scene.topic("kpis")):
        if record.key.startswith(b'["offered","28d"') and record.value is not None:
            row = orjson.loads(record.value)
            found[frozenset(row["group"].items())] = row["value"] or 0.0
    return found


async def _watch_recovery(worker: Worker, before: Mapping[frozenset[tuple[str, str]], float]) -> tuple[int, int, float]:
    looks = shown = 0
    began = time.monotonic()
    while True:
        status, _ = await worker.fetch("/readyz")
        if status == 200:
            return looks, shown, time.monotonic() - began
        _, metrics = await worker.fetch("/metrics")
        looks += bool(metrics)
        gauges = _gauges(metrics)
        shown += bool(gauges)
        partial = {group: (gauges.get(group, 0.0), value) for group, value in before.items() if gauges.get(group, 0.0) < value}
        if gauges and partial:
            raise AssertionError(f"not ready, and shown below what was published: {list(partial.items())[:5]}")
        if time.monotonic() - began > 240:
            raise TimeoutError(worker.tail())
        await asyncio.sleep(0.05)


def _gauges(metrics: str) -> dict[frozenset[tuple[str, str]], float]:
    found = {}
    for labels, value in OFFERED.findall(metrics):
        pairs = dict(LABEL.findall(labels))
        if pairs.pop("window") == "28d":
            pairs.pop("grouping")
            found[frozenset(pairs.items())] = float(value)
    return found


async def compacted_under_a_zombie(scene: Scene) -> str:
    """A worker wakes up and writes its old rows after the new ones; Kafka compacts everything as soon as the lag allows; then a fresh recovery."""
    names = [spec.name for spec in specs_of(scene.settings) if spec.config["cleanup.policy"] == "compact"]
    logical = [name.removeprefix(f"{scene.settings.kafka.topic_prefix}.") for name in names]
    for name in logical:
        await configure(scene, name, EAGER)
    seam = Seam(rewrite_over=60)
    scene.hire(seam=seam)
    await scene.ready()
    await scene.figures_move()
    [frozen] = scene.crew.alive
    frozen.signal(signal.SIGSTOP)
    scene.fault()
    [successor] = scene.hire(seam=seam)
    await successor.ready()
    await asyncio.sleep(4.0)
    frozen.signal(signal.SIGCONT)
    await asyncio.sleep(2.0)
    frozen.kill()
    await asyncio.sleep(COMPACTION_LAG + 25)
    held, written = await _held(scene, CHANGELOG)
    for worker in scene.crew.alive:
        worker.kill()
    scene.hire(seam=seam)
    await scene.ready()
    assert held < written * 0.95, f"Kafka has compacted nothing: {held} of {written}"
    return f"compaction has left {held:,} of {written:,} changelog records when the fresh worker recovered"


async def _held(scene: Scene, logical: str) -> tuple[int, int]:
    held = 0
    newest: dict[int, int] = {}
    async for record in published.records(scene.stage.direct, scene.topic(logical)):
        held += 1
        newest[record.partition] = record.offset + 1
    return held, sum(newest.values())

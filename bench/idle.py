"""Open cases that nothing touches cost no CPU: a worker that holds very many of them beside one that holds none, both idle.

The cases are opened through the input topics, all at the present instant, so that no target, no age and no timer comes due while
we look. Time is told by the wall clock as usual: progress marks pass all the while.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer

from bench.pipeline import consuming, new_pipeline
from bench.process import Worker, resident_mib
from stream_app.feeds.sender import partition_of

IDLE_SECONDS = 20.0
SETTLE_SECONDS = 5.0
"""After the last record: last panes published, a checkpoint or two."""
DEADLINE_SECONDS = 1_800.0
INPUT_PARTITIONS = 4
QUEUES = ("billing", "technical", "orders", "returns")
LAG = re.compile(r"^deskpulse_lag_records\{[^}]*\} (\S+)", re.MULTILINE)
PROCESSED = re.compile(r'^deskpulse_processed_records_total\{processor="cases"\} (\S+)', re.MULTILINE)


@dataclass(frozen=True)
class Idle:
    """``marks``: control records that passed through one partition of the log while it was idle."""

    cases: int
    seconds: float
    cpu_seconds: float
    resident_mib: float
    marks: int

    @property
    def core_share(self) -> float:
        return self.cpu_seconds / self.seconds


@dataclass(frozen=True)
class IdlePair:
    """An empty worker and a full one."""

    empty: Idle
    full: Idle

    @property
    def bytes_per_case(self) -> float:
        return (self.full.resident_mib - self.empty.resident_mib) * 2**20 / self.full.cases

    def plain(self) -> dict[str, object]:
        return {**asdict(self), "bytes_per_case": self.bytes_per_case}


async def idle_pair(bootstrap: str, directory: Path, cases: int) -> IdlePair:
    """The empty one first."""
    return IdlePair(await idle_run(bootstrap, directory, 0), await idle_run(bootstrap, directory, cases))


async def idle_run(bootstrap: str, directory: Path, cases: int) -> Idle:
    """Open the cases, let a worker read them, and then watch it do nothing."""
    inputs = f"idle-{int(time.time() * 1000):x}"
    configuration, settings = await new_pipeline(bootstrap, directory, inputs, declared=False)
    await _open_cases(bootstrap, settings.topic("contacts"), cases)
    with Worker(configuration) as worker:
        await _until_read(worker, cases)
        await asyncio.sleep(SETTLE_SECONDS)
        begin = time.time()
        await asyncio.sleep(IDLE_SECONDS)
        end = time.time()
        resident = resident_mib(worker.process.pid)
        worker.check()
    marks = await _marks_between(bootstrap, settings.topic("events"), begin, end)
    return Idle(cases, end - begin, worker.sampled.cpu_between(begin, end), resident, marks)


async def _open_cases(bootstrap: str, topic: str, cases: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks=1, linger_ms=5, max_batch_size=500_000)
    await producer.start()
    try:
        for number in range(cases):
            key = b"case-%d" % number
            event = {
                "type": "contact.opened",
                "occurred_at": int(time.time() * 1000),
                "event_id": f"e{number}",
                "case_id": key.decode(),
                "contact_id": f"c{number}",
                "customer_id": f"u{number}",
                "queue": QUEUES[number % len(QUEUES)],
                "channel": "email",
                "priority": "normal",
            }
            await producer.send(topic, orjson.dumps(event), key, partition=partition_of(key, INPUT_PARTITIONS))
        await producer.flush()
    finally:
        await producer.stop()


async def _until_read(worker: Worker, cases: int) -> None:
    """Until Cases has handled them all and nothing waits anywhere."""
    limit = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < limit:
        worker.check()
        text = await asyncio.to_thread(worker.metrics)
        handled = sum(map(float, PROCESSED.findall(text)))
        lags = [float(lag) for lag in LAG.findall(text)]
        if "deskpulse_ready 1.0" in text and lags and max(lags) < INPUT_PARTITIONS and handled >= cases:
            return
        await asyncio.sleep(0.5)
    raise TimeoutError(f"the worker has not read {cases:,} cases in {DEADLINE_SECONDS:.0f} s")


async def _marks_between(bootstrap: str, topic: str, begin: float, end: float) -> int:
    """Marks in the first partition of the log within a stretch of wall time."""
    marks = 0
    async with consuming(bootstrap, topic) as consumer:
        while found := await consumer.getmany(timeout_ms=1_000):
            for partition, records in found.items():
                if partition.partition == 0:
                    marks += sum(
                        begin <= record.timestamp / 1000 <= end and record.key is None and json.loads(record.value).get("control") == "mark"
                        for record in records
                    )
    return marks


def lines(pair: IdlePair | None) -> list[str]:
    """Markdown; nothing for no run."""
    if pair is None:
        return []
    full, empty = pair.full, pair.empty
    held = (
        f"Idle: {full.cases:,} open cases that nothing touches take {full.core_share:.1%} of one core, no case at all takes "
        f"{empty.core_share:.1%} ({full.cpu_seconds:.2f} and {empty.cpu_seconds:.2f} CPU-s in {full.seconds:.0f} s while "
        f"{full.marks} and {empty.marks} progress marks passed); "
        f"resident memory {full.resident_mib:,.0f} and {empty.resident_mib:,.0f} MiB, {pair.bytes_per_case:,.0f} bytes per case."
    )
    return [held]

"""A broker that is slow to take what a worker writes: Intake reads on only as fast as the broker takes, and goes on at full speed after."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stream_app.brokers import BrokerUnavailableError
from tests.faults.stage import Stage, Stages
from tests.support.proxy import Proxy
from tests.support.requirements import missing
from tests.support.toy_cluster import ToyCluster, Worker, keys_of, toy_cluster
from tests.support.waiting import eventually

RECORDS = 120_000
VALUE = b"x" * 400
LIMIT = 200_000
ONE_TURN = 8 * 100 * 420
"""What may come on top: eight partitions that found room at the same moment, a slice of 100 records each."""
SLOW_BYTES_PER_SECOND = 40_000
SLOW_SECONDS = 6
SETTINGS = {"outstanding_bytes": LIMIT, "slice_records": 100, "batch_bytes": 10_000, "fetch_bytes": 100_000}
MEMORY_MIB = 24
"""That the worker may grow by meanwhile: half of what waits to be read."""


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    try:
        async with Stages().open("proxied") as stage:
            yield stage
    except BrokerUnavailableError as error:
        missing(str(error))


def loads(worker: Worker) -> list[tuple[int, int]]:
    """(unacknowledged bytes, records handled by Intake), every 20 ms."""
    return [(int(outstanding), int(handled)) for outstanding, handled in re.findall(r"^load (\d+) (\d+)$", worker.log, re.MULTILINE)]


def peak_mib(worker: Worker) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


@pytest.mark.kafka
@pytest.mark.slow
async def test_a_broker_slow_to_take_outputs_slows_intake_and_memory_stays(stage: Stage, prefix: str, tmp_path: Path) -> None:
    """
    Load waits  ─ slow ────────────────────────────── normal ───────────>
    handled       until LIMIT, then as the broker takes    everything
    """
    proxy = stage.proxy
    assert isinstance(proxy, Proxy)
    with toy_cluster(stage.direct, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        worker = await ready_behind_the_proxy(cluster, stage.bootstrap)
        before = peak_mib(worker)

        proxy.bytes_per_second_up = SLOW_BYTES_PER_SECOND
        since = time.monotonic()
        await cluster.load("contacts", keys_of(RECORDS), VALUE)
        await asyncio.sleep(SLOW_SECONDS)
        slow = loads(worker)
        grown = peak_mib(worker) - before

        most = max(outstanding for outstanding, _ in slow)
        handled = slow[-1][1]
        assert LIMIT <= most <= LIMIT + ONE_TURN, "full, and not more than full"
        assert 0 < handled < RECORDS / 10, "reading has stopped with nearly all of it unread"
        first_full = next(place for place, (outstanding, _) in enumerate(slow) if outstanding >= LIMIT)
        taken_meanwhile = SLOW_BYTES_PER_SECOND * (time.monotonic() - since)
        assert (handled - slow[first_full][1]) * len(VALUE) <= taken_meanwhile + ONE_TURN, "no faster than the broker takes"
        assert grown < MEMORY_MIB

        proxy.bytes_per_second_up = None
        eventually_read = await asyncio.to_thread(wait_for_everything, worker)
        assert eventually_read == RECORDS
        await cluster.processed(RECORDS)
        assert max(outstanding for outstanding, _ in loads(worker)) <= LIMIT + ONE_TURN
        assert sum((await cluster.totals()).rows.values()) == RECORDS


async def ready_behind_the_proxy(cluster: ToyCluster, bootstrap: str) -> Worker:
    """A worker that reaches the broker by way of the proxy only."""
    worker = cluster.worker(intake=True, report_load=True, bootstrap=bootstrap, settings=SETTINGS)
    await asyncio.to_thread(eventually, worker.is_ready, within_seconds=30, what="a ready worker")
    return worker


def wait_for_everything(worker: Worker) -> int:
    """Records handled once it is all of them."""

    def handled() -> int:
        assert worker.process.poll() is None, worker.log[-3000:]
        found = loads(worker)[-1][1]
        return found if found >= RECORDS else 0

    return eventually(handled, within_seconds=90, what="all records handled")

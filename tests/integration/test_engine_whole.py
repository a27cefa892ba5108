"""All kinds of processors in one worker: inputs to the log, log to panes, panes to a published total."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import orjson
import pytest

from stream_app.brokers.embedded import EmbeddedBroker
from stream_app.brokers.kafka import KafkaBroker
from stream_app.engine import ExitCode
from tests.support.toy_cluster import ToyCluster, keys_of, toy_cluster
from tests.support.waiting import eventually_async

RECORDS = 10_000


async def published_total(cluster: ToyCluster, total: int) -> None:
    async def published() -> bool:
        records = await cluster.read("kpis")
        return bool(records) and int(records[-1].value) == total

    await eventually_async(published, within_seconds=60, what=f"a published total of {total}")


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_goes_in_is_what_is_published(kafka: KafkaBroker, prefix: str, tmp_path: Path, workers: int) -> None:
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        await cluster.load("contacts", keys_of(RECORDS))
        running = [cluster.worker(intake=True, rollup=True) for _ in range(workers)]

        await published_total(cluster, RECORDS)
        for worker in running:
            worker.send(signal.SIGTERM)
        assert [worker.exit_code() for worker in running] == [ExitCode.CLEAN] * workers
        committed = await cluster.committed()
        assert sum(offset for name, offset in committed.items() if name.startswith("contacts")) == RECORDS
        assert sum(offset for name, offset in committed.items() if name.startswith("events")) == RECORDS
        assert not any(name.startswith("panes") for name in committed)


async def test_a_quiet_input_is_told_complete_and_only_after_everything_in_it_was_handled(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        cluster.ready_worker(intake=True)
        await cluster.load("contacts", keys_of(100))
        loaded_at = int(time.time() * 1000)

        async def told() -> set[str]:
            marks = [orjson.loads(record.value)["complete"] for record in await cluster.read("dead-letters")]
            late = {source for mark in marks for source, clock in mark.items() if clock > loaded_at}
            return late if len(late) == 4 else set()

        assert await eventually_async(told, within_seconds=20) == {f"contacts-{partition}" for partition in range(4)}
        assert len(await cluster.read("events")) == 100


async def test_rollup_reads_back_what_it_published_and_repeats_nothing(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        first = cluster.worker(rollup=True)
        await cluster.load("events", keys_of(RECORDS))
        await published_total(cluster, RECORDS)
        first.send(signal.SIGTERM)
        assert first.exit_code() == ExitCode.CLEAN
        published = len(await cluster.read("kpis"))

        cluster.ready_worker(rollup=True)
        await cluster.load("events", keys_of(10))
        await published_total(cluster, RECORDS + 10)

        values = [int(record.value) for record in (await cluster.read("kpis"))[published:]]
        assert values == sorted(set(values))
        assert values[0] > RECORDS


async def test_the_embedded_broker_gives_the_same_exact_counts_also_after_kills(
    embedded: EmbeddedBroker, prefix: str, tmp_path: Path
) -> None:
    with toy_cluster(embedded.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        for kill in range(3):
            worker = cluster.worker(intake=True, rollup=True)
            await cluster.load("contacts", keys_of(RECORDS))
            await cluster.processed(max(1, kill * RECORDS), within_seconds=60)
            worker.kill()
        cluster.worker(intake=True, rollup=True)

        await cluster.processed(3 * RECORDS, within_seconds=60)

        async def everything_counts_once() -> bool:
            """Intake repeats what it had not committed, so the log still grows while it reads."""
            totals, published = await cluster.totals(), await cluster.read("kpis")
            log = len(await cluster.read("events"))
            return bool(published) and sum(totals.rows.values()) == totals.panes == log == int(published[-1].value)

        await eventually_async(everything_counts_once, within_seconds=60)

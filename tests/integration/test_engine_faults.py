"""Brokers that are absent, killed or stopped, workers that freeze: nothing is lost, nothing counted twice."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from stream_app.brokers.kafka import KafkaBroker
from stream_app.engine import ExitCode
from tests.support.toy_cluster import ToyCluster, keys_of, toy_cluster
from tests.support.waiting import eventually

RECORDS = 10_000


async def assert_exact(cluster: ToyCluster, records: int) -> None:
    totals = await cluster.processed(records, within_seconds=120)
    assert sum(totals.rows.values()) == totals.panes == records


async def test_a_broker_absent_at_start_is_waited_for_in_plain_words(own_kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    with toy_cluster(own_kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        own_kafka.stop()

        worker = cluster.worker()
        eventually(lambda: worker.log.count("no answer from the Kafka broker") >= 2, within_seconds=20)
        assert worker.process.poll() is None

        own_kafka.restart()
        eventually(worker.is_ready, within_seconds=40)
        await cluster.load("events", keys_of(RECORDS))
        await assert_exact(cluster, RECORDS)


async def test_sigterm_while_waiting_for_the_broker_ends_at_once(tmp_path: Path) -> None:
    with toy_cluster("127.0.0.1:1", "nowhere", tmp_path) as cluster:
        worker = cluster.worker()
        eventually(lambda: "no answer from the Kafka broker" in worker.log, within_seconds=20)

        worker.send(signal.SIGTERM)

        assert worker.exit_code(5) == ExitCode.CLEAN


@pytest.mark.slow
async def test_a_broker_killed_and_restarted_under_load_loses_nothing(own_kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    with toy_cluster(own_kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        await cluster.load("events", keys_of(100_000))
        worker = cluster.ready_worker(settings={"outstanding_bytes": 200_000})
        await cluster.processed(1)

        own_kafka.kill()
        own_kafka.restart()

        await assert_exact(cluster, 100_000)
        assert worker.process.poll() is None


@pytest.mark.slow
async def test_a_broker_that_stands_still_past_the_session_loses_nothing(own_kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    with toy_cluster(own_kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        cluster.ready_worker()
        await cluster.load("events", keys_of(RECORDS))

        own_kafka.pause()
        await asyncio.sleep(10)  # longer than the session
        own_kafka.resume()

        await cluster.load("events", keys_of(RECORDS))
        await assert_exact(cluster, 2 * RECORDS)


@pytest.mark.slow
async def test_a_worker_frozen_past_its_session_wakes_up_and_spoils_nothing(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    """Frozen under load while another takes over; it wakes up with old state, old outputs and an old checkpoint."""
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        frozen = cluster.ready_worker()
        await cluster.load("events", keys_of(RECORDS))
        frozen.send(signal.SIGSTOP)
        await cluster.load("events", keys_of(RECORDS))
        other = cluster.worker()
        await cluster.processed(2 * RECORDS, within_seconds=60)

        frozen.send(signal.SIGCONT)
        await cluster.load("events", keys_of(RECORDS))
        await assert_exact(cluster, 3 * RECORDS)

        for worker in (frozen, other):
            worker.kill()
        cluster.ready_worker()
        await cluster.load("events", keys_of(RECORDS))
        await assert_exact(cluster, 4 * RECORDS)


@pytest.mark.slow
async def test_workers_join_leave_and_die_in_turn(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()
        sent = 0
        running = [cluster.ready_worker()]
        for turn in range(6):
            await cluster.load("events", keys_of(RECORDS // 2))
            sent += RECORDS // 2
            if turn % 3 == 0:
                running.append(cluster.worker())
            elif turn % 3 == 1:
                leaving = running.pop(0)
                eventually(leaving.is_ready, within_seconds=40)
                leaving.send(signal.SIGTERM)
                assert leaving.exit_code() == ExitCode.CLEAN
                running.append(cluster.worker())
            else:
                running.pop(0).kill()
        await assert_exact(cluster, sent)

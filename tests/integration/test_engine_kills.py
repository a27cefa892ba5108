"""Workers killed with SIGKILL at random under load: what they count stays exact, on a real Kafka."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from stream_app.brokers.kafka import KafkaBroker
from tests.support.toy_cluster import ToyCluster, keys_of, toy_cluster

KILLS = 5
RECORDS = 30_000
PER_ROUND = RECORDS // (KILLS + 1)


async def load_and_kill(cluster: ToyCluster, workers: int, seed: int) -> None:
    """A kill at a random moment of each round of load; the killed worker is replaced at once."""
    chance = random.Random(seed)
    running = [cluster.worker() for _ in range(workers)]
    keys = keys_of(RECORDS)
    for round_start in range(0, RECORDS, PER_ROUND):
        load = asyncio.create_task(cluster.load("events", keys[round_start : round_start + PER_ROUND]))
        await cluster.processed(max(1, round_start - PER_ROUND // 2))
        await asyncio.sleep(chance.uniform(0, 0.5))  # the random moment is the point of this test
        await load
        if round_start < KILLS * PER_ROUND:
            victim = chance.randrange(workers)
            running[victim].kill()
            running[victim] = cluster.worker()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
async def test_five_kills_under_load_lose_and_double_nothing(kafka: KafkaBroker, prefix: str, tmp_path: Path, workers: int) -> None:
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        await cluster.create_topics()

        await load_and_kill(cluster, workers, seed=workers)
        totals = await cluster.processed(RECORDS, within_seconds=90)

        expected = {key: keys_of(RECORDS).count(key) for key in set(keys_of(RECORDS))}
        assert totals.rows == expected
        assert totals.panes == RECORDS
        outputs = await cluster.read("case-events")
        assert len({record.value for record in outputs}) == RECORDS

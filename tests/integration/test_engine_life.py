"""How a worker starts, stops and fails, on a real Kafka: exit codes, and what is committed after each end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.brokers.kafka import KafkaBroker
from stream_app.engine import ExitCode
from tests.support.toy_cluster import PARTITIONS, ToyCluster, keys_of, toy_cluster
from tests.support.waiting import eventually, eventually_async

RECORDS = 5_000


@pytest.fixture
def cluster(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> Iterator[ToyCluster]:
    with toy_cluster(kafka.bootstrap, prefix, tmp_path) as cluster:
        yield cluster


async def test_sigterm_under_load_ends_cleanly_with_everything_processed_committed(cluster: ToyCluster) -> None:
    await cluster.create_topics()
    await cluster.load("events", keys_of(60_000))
    worker = cluster.ready_worker()
    await cluster.processed(1)

    started = time.monotonic()
    worker.send(signal.SIGTERM)

    assert worker.exit_code() == ExitCode.CLEAN
    assert time.monotonic() - started < 10
    totals, committed = await cluster.totals(), await cluster.committed()
    assert {f"events-{partition}": offset for partition, offset in totals.offsets.items()} == committed
    assert sum(totals.rows.values()) == totals.processed == totals.panes


@pytest.mark.parametrize("moment", ["EngineApp]: Starting", "assigned 4 partitions", "ready"])
async def test_sigterm_while_starting_ends_cleanly(cluster: ToyCluster, moment: str) -> None:
    await cluster.create_topics()
    await cluster.load("events", keys_of(RECORDS))
    worker = cluster.worker()
    eventually(lambda: moment in worker.log, within_seconds=30)

    worker.send(signal.SIGTERM)

    assert worker.exit_code(10) == ExitCode.CLEAN, worker.log


async def test_a_restarted_worker_goes_on_where_the_marker_says(cluster: ToyCluster) -> None:
    await cluster.create_topics()
    await cluster.load("events", keys_of(RECORDS))
    first = cluster.ready_worker()
    await cluster.processed(RECORDS)
    first.send(signal.SIGTERM)
    assert first.exit_code() == ExitCode.CLEAN

    await cluster.load("events", keys_of(RECORDS))
    cluster.ready_worker()
    totals = await cluster.processed(2 * RECORDS)

    assert sum(totals.rows.values()) == 2 * RECORDS
    assert len(await cluster.read("case-events")) == 2 * RECORDS


async def test_a_send_that_fails_for_good_ends_the_process_and_nothing_is_committed(cluster: ToyCluster) -> None:
    await cluster.create_topics(case_events=(PARTITIONS, {"max.message.bytes": "100"}))
    worker = cluster.ready_worker()

    await cluster.load("events", keys_of(RECORDS))

    assert worker.exit_code() == ExitCode.FAILED
    assert "sending to" in worker.log
    assert await cluster.committed() == {}
    assert (await cluster.totals()).processed == 0


async def test_an_exception_out_of_a_processor_ends_the_process_before_its_batch_is_committed(cluster: ToyCluster) -> None:
    await cluster.create_topics()
    worker = cluster.ready_worker()

    await cluster.load("events", [b"poison"])

    assert worker.exit_code() == ExitCode.FAILED
    assert "a poisoned record" in worker.log
    assert await cluster.committed() == {}


async def test_a_handler_that_hangs_is_ended_by_the_watchdog(cluster: ToyCluster) -> None:
    await cluster.create_topics()
    worker = cluster.ready_worker(settings={"stall_timeout": 2.0})

    await cluster.load("events", [b"hang"])

    assert worker.exit_code() == ExitCode.STALLED
    assert "a handler hangs" in worker.log


async def test_different_partition_counts_of_log_and_changelog_are_refused(cluster: ToyCluster) -> None:
    await cluster.create_topics(cases_changelog=(PARTITIONS - 1, {"cleanup.policy": "compact"}))

    worker = cluster.worker()

    assert worker.exit_code() == ExitCode.REFUSED
    assert "events has 4 partitions but cases-changelog has 3" in worker.log


async def test_missing_topics_are_refused_with_the_command_that_makes_them(cluster: ToyCluster) -> None:
    worker = cluster.worker()

    assert worker.exit_code() == ExitCode.REFUSED
    assert "deskpulse topics create" in worker.log


async def test_a_marker_beyond_a_log_made_anew_stops_the_worker_with_the_way_out(cluster: ToyCluster) -> None:
    await cluster.create_topics()
    await cluster.load("cases-changelog", [b"m"], value=b"[999, 0]")

    worker = cluster.worker()

    assert worker.exit_code() == ExitCode.OFFSET_OUT_OF_RANGE
    assert "the topic holds 0 to 0" in worker.log


async def test_a_changelog_that_cannot_be_read_is_quarantined_and_the_worker_not_ready(cluster: ToyCluster) -> None:
    await cluster.create_topics()
    await cluster.load("cases-changelog", [b"rkey"], value=b"not a row")

    worker = cluster.worker()
    eventually(lambda: "is quarantined" in worker.log, within_seconds=20)

    keys = keys_of(1000)
    await cluster.load("events", keys)
    marked = await marked_partitions(cluster)
    assert len(marked) == PARTITIONS - 1
    assert not worker.is_ready()


async def marked_partitions(cluster: ToyCluster) -> set[int]:
    """Partitions with a marker, once all but one have one. The broken record is skipped here, not there."""

    async def markers() -> set[int]:
        found = {record.partition for record in await cluster.read("cases-changelog") if record.key == b"m"}
        return found if len(found) >= PARTITIONS - 1 else set()

    return await eventually_async(markers, within_seconds=20)


async def test_faust_listens_on_no_port_and_writes_no_file(cluster: ToyCluster) -> None:
    await cluster.create_topics()

    worker = cluster.ready_worker()

    assert listening_ports(worker.process.pid) == []
    assert [path.name for path in cluster.directory.iterdir()] == ["worker-0.log"]


def listening_ports(pid: int) -> list[int]:
    """TCP ports on which a process listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    ports = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in sockets:
                ports.append(int(columns[1].rpartition(":")[2], 16))
    return ports

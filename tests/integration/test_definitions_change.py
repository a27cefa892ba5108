"""On real Kafka: definitions are published under load, then two workers are restarted one after the other with the new file."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from stream_app.brokers.kafka import KafkaBroker
from tests.support.definitions_load import NEW, OLD, Load, counted, expected, kpis_of
from tests.support.installation import Installation, OneWorker
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.slow]


def complaints(log: str) -> list[str]:
    """Lines of ours at warning or above."""
    return [line for line in log.splitlines() if " stream_app." in line and any(f"Z {level}" in line for level in ("warning", "error", "critical"))]


async def test_definitions_change_at_their_offset_while_two_workers_go_on_and_are_restarted_in_turn(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    installation = Installation(kafka.bootstrap, prefix, tmp_path)
    old, new = installation.file("old", OLD), installation.file("new", NEW)
    await installation.create_topics(old)
    load = Load(installation)
    with ExitStack() as stack:

        def start(file: Path, name: str) -> OneWorker:
            worker = OneWorker(installation, file, name)
            stack.callback(worker.end)
            return worker

        workers = [start(old, "a"), start(old, "b")]
        for worker in workers:
            await asyncio.to_thread(worker.ready)
        feeding = asyncio.create_task(load.run())
        stack.callback(feeding.cancel)
        await load.reaches(100)

        refused = installation.file("refused", OLD.replace("[kpis]", '[kpis]\nzone = "Europe/Berlin"'))
        code, said = await installation.command(refused, "config", "publish", "--yes")
        assert (code, "nothing was changed" in said, "✗ kpis.zone: days that were published" in said) == (1, True, True), said
        code, said = await installation.command(new, "config", "publish", "--dry-run")
        assert (code, "dimensions.queue: billing → billing, orders" in said) == (0, True), said
        assert "sla.targets.first_reply.default: 30s → 5m" in said
        code, said = await installation.command(new, "config", "publish", "--yes")
        assert (code, "version 2 stands in all 4 log partitions" in said) == (0, True), said

        async def in_force() -> bool:
            return sum(worker.log.count("definitions 2 hold from offset") for worker in workers) == 4

        await eventually_async(in_force, within_seconds=30, what="the new definitions in force in all partitions")
        await load.reaches(load.sent + 50)
        for number, name in enumerate(("c", "d")):
            assert await asyncio.to_thread(workers[number].stop) == 0
            workers[number] = start(new, name)
            await asyncio.to_thread(workers[number].ready)
        await load.reaches(load.sent + 50)
        load.stop()
        await feeding

        async def wanted() -> Counter[str]:
            for worker in workers:
                worker.check()
            return await expected(installation)

        async def exact() -> bool:
            want = await wanted()
            return want["verdicts"] == load.sent and await counted(installation) == kpis_of(want)

        with suppress(AssertionError):  # the assertions below then show the difference
            await eventually_async(exact, within_seconds=60)
        want = await wanted()
        assert (want["verdicts"], min(want["definitions 1"], want["definitions 2"]) > 50) == (load.sent, True)
        assert await counted(installation) == kpis_of(want)
        assert (await installation.kpis("60m"))["offered", "team=red"]["value"] == load.sent
        assert (await installation.command(new, "config", "publish"))[1].startswith("Nothing to publish")
        assert [await asyncio.to_thread(worker.stop) for worker in workers] == [0, 0]
        assert [complaints(worker.log) for worker in workers] == [[], []]

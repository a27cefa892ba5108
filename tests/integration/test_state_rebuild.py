"""``deskpulse state rebuild`` on real Kafka: state that cannot be trusted is made again, and a worker goes on exactly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from models.durability.fence import pack
from models.durability.recovery import seal
from stream_app.brokers.kafka import KafkaBroker
from tests.support.state_run import StateRun

pytestmark = [pytest.mark.slow]

EVENTS = 12_000
GARBAGE = b"\xff" * 40
CELL = ["nowhere", "phone", "high", "unset"]


@asynccontextmanager
async def state_run(kafka: KafkaBroker, prefix: str, directory: Path) -> AsyncIterator[StateRun]:
    run = StateRun(kafka.bootstrap, prefix, directory, EVENTS)
    await run.create_topics()
    await run.watermark.start()
    try:
        yield run
    finally:
        await run.watermark.stop()
        await asyncio.to_thread(run.workers.stop)


async def test_a_corrupt_changelog_is_made_again_and_the_worker_goes_on_exactly(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    async with state_run(kafka, prefix, tmp_path) as run:
        run.workers.start()
        await run.processed(await run.feed(0, 5_000))
        code, said = await run.command("rebuild")
        assert (code, "are alive" in said) == (1, True), said
        await run.stop()

        await run.write("cases-changelog", 1, (b"rgarbage", b"short"), (b"?", GARBAGE), (b"rcase", GARBAGE), (b"m", GARBAGE))
        await run.write("customers-changelog", 2, (b"p???", GARBAGE))
        run.workers.start()
        await run.quarantined()
        await run.feed(5_000, 8_000)  # partition 1 falls behind its log
        await run.stop()

        sent = [await run.ids(topic) for topic in ("case-events", "sla-events")]
        for processor, partition in (("cases", 1), ("customers", 2)):
            code, said = await run.command("rebuild", "--processor", processor, "--partition", str(partition))
            assert code == 0, said
            assert f"{processor} {partition}: epoch 1" in said
        assert [await run.ids(topic) for topic in ("case-events", "sla-events")] == sent
        code, said = await run.command("verify")
        assert code == 0, said
        run.workers.start()
        await run.processed(await run.feed(8_000, EVENTS))
        code, said = await run.command("verify")
        assert code == 0, said
        await run.settled()

        found = await run.differences()
        assert found.rows > 1_000
        assert found.by_kpi == {}, found.differences
        assert max((await run.ids("sla-events")).values()) == 1


async def test_verify_names_what_differs_and_a_rebuild_ends_it(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    async with state_run(kafka, prefix, tmp_path) as run:
        run.workers.start()
        await run.processed(await run.feed(0, 4_000))
        await run.stop()
        panes = (await run.newest("panes")).items()
        slow = [(key, value) for key, value in panes if key.startswith(b'["p","cases",0,"slow"') and "facts" in value]
        key, right = min(slow, key=lambda pane: pane[1]["fence"])
        wrong = {"fence": [right["fence"][0], right["fence"][1] + 1], "facts": right["facts"] | {"opened": 77_777}}
        start = orjson.loads(key)[4]
        invented = orjson.dumps(["p", "cases", 0, "slow", start, CELL]), {"fence": [0, 5], "facts": {"opened": 3}}
        case = next(key for key, value in (await run.newest("cases")).items() if not value.get("deleted"))
        gone = b"never-was-0"
        await run.write("panes", 0, (key, orjson.dumps(wrong)), (invented[0], orjson.dumps(invented[1])))
        await run.write("cases", 0, (gone, orjson.dumps({"fence": [0, 5], "case_id": "never-was-0", "status": "open"})))

        code, said = await run.command("verify", "--processor", "cases")
        assert code == 1
        assert "published 77777" in said
        assert "nowhere / phone / high / unset  opened: recomputed 0, published 3" in said
        assert ("cases 0  slow" in said, "2 differences" in said) == (True, True), said
        assert (await run.command("verify", "--processor", "cases", "--partition", "1"))[0] == 0
        assert (await run.command("verify", "--from", str(start + 3_600_000)))[0] == 0

        code, said = await run.command("rebuild", "--processor", "cases")
        assert code == 0, said
        code, said = await run.command("verify")
        assert code == 0, said
        after = await run.newest("panes")
        assert after[key] == {"fence": [1, right["fence"][1]], "facts": right["facts"]}
        cases = await run.newest("cases")
        assert cases[gone]["deleted"]
        assert cases[gone]["fence"][0] == 1
        assert not cases[case].get("deleted")


async def test_a_log_whose_beginning_is_gone_is_refused_unless_asked_for(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    async with state_run(kafka, prefix, tmp_path) as run:
        run.workers.start()
        await run.processed(await run.feed(0, 2_000))
        await run.stop()
        await run.shorten("events", 0, 100)

        code, said = await run.command("rebuild", "--processor", "cases")
        assert code == 1
        assert "begins at 100" in said.replace("\n", " ")
        assert "Nothing was changed" in said.replace("\n", " ")
        assert {value["fence"][0] for value in (await run.newest("panes")).values()} == {0}

        code, said = await run.command("rebuild", "--processor", "cases", "--from-what-is-left")
        assert code == 0, said
        run.workers.start()
        await run.processed(await run.feed(2_000, 3_000))


async def test_an_unfinished_rebuild_keeps_the_partition_closed_until_it_is_run_again(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    async with state_run(kafka, prefix, tmp_path) as run:
        run.workers.start()
        await run.processed(await run.feed(0, 2_000))
        await run.stop()
        await run.write("cases-changelog", 0, (b"b", seal(pack(1, 0), b"")))
        run.workers.start()
        await run.quarantined()
        await run.stop()

        code, said = await run.command("rebuild", "--processor", "cases", "--partition", "0")
        assert (code, "epoch 2" in said) == (0, True), said
        run.workers.start()
        await run.processed(await run.feed(2_000, 3_000))

"""On real Kafka: definitions are published under load, then two workers are restarted one after the other with the new file."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from models.events.canonical import Definitions, Event, Mark
from models.progress.watermark import Progress
from stream_app.brokers.kafka import KafkaBroker
from stream_app.wire import canonical
from tests.oracle import published
from tests.support.installation import Installation, OneWorker
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.slow]

OLD = '[dimensions]\nqueue = ["billing"]\n[kpis]\nservice_level_target = "20s"\nqueued_channels = ["phone"]\n[sla]\ntargets = {first_reply = {default = "30s"}}\n'
NEW = (
    '[dimensions]\nqueue = ["billing", "orders"]\n[kpis]\nservice_level_target = "60s"\nqueued_channels = ["phone", "email"]\n'
    'grouping_sets = [[], ["queue"], ["team"]]\n[sla]\ntargets = {first_reply = {default = "5m"}}\n'
)
SHORT, LONG = 10, 40
"""Seconds until the answer: within every target, and within the new ones only."""
REPLY_DUE = 30
"""Seconds after its opening when a case of the second kind is in breach of the old target, its last timer."""


class Load:
    """Cases of three events, a few at a time, until it is stopped."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stopping = False
        self.sent = 0

    async def run(self) -> None:
        while not self._stopping:
            await self._installation.send("contacts", [message for _ in range(10) for message in self._case()])
            await asyncio.sleep(0.2)

    def stop(self) -> None:
        self._stopping = True

    async def reaches(self, cases: int) -> None:
        async def sent() -> bool:
            return self.sent >= cases

        await eventually_async(sent, within_seconds=60, what=f"{cases} cases sent")

    def _case(self) -> list[tuple[bytes, bytes]]:
        number, self.sent = self.sent, self.sent + 1
        case, at = f"case-{number}", int(time.time() * 1000) - 120_000
        wait = (SHORT if number % 2 else LONG) * 1000
        about = {"channel": "email" if number % 3 == 0 else "phone", "queue": "billing" if number % 5 < 3 else "orders", "team": "red"}
        events: list[dict[str, Any]] = [
            {"type": "contact.opened", "occurred_at": at, **about},
            {"type": "contact.answered", "occurred_at": at + wait, "agent_id": "rep-1"},
            {"type": "case.resolved", "occurred_at": at + wait + 1000},
        ]
        return [(case.encode(), orjson.dumps({**event, "case_id": case, "event_id": f"{case}-{step}"})) for step, event in enumerate(events)]


async def expected(installation: Installation) -> Counter[str]:
    """What must be counted, by the log alone: each case under the definitions of its last event, or of the mark that fired its timer."""
    logs: dict[int, list[Any]] = {}
    async for record in published.records(installation.bootstrap, f"{installation.prefix}.events"):
        logs.setdefault(record.partition, []).append(record)
    counts: Counter[str] = Counter()
    for records in logs.values():
        opened: dict[str, Event] = {}
        answered: dict[str, int] = {}
        due: dict[str, int] = {}
        touched: dict[str, int] = {}
        progress = Progress()
        version = 0
        for record in records:
            control = canonical.decode_control(record.value) if record.key is None else None
            if isinstance(control, Definitions):
                version = max(version, control.version)
            elif isinstance(control, Mark):
                fired = [case for case, at in due.items() if at <= progress.watermark] if progress.take(control) else []
                touched |= dict.fromkeys(fired, version)
                for case in fired:
                    del due[case]
            else:
                event = canonical.decode_event(record.value)
                touched[event.case_id] = version
                if event.type == "contact.opened":
                    opened[event.case_id] = event
                elif event.type == "contact.answered":
                    answered[event.case_id] = event.occurred_at
                if event.case_id in answered and version == 1 and answered[event.case_id] - opened[event.case_id].occurred_at == LONG * 1000:
                    due[event.case_id] = opened[event.case_id].occurred_at + REPLY_DUE * 1000  # made certain by the mark that reaches it
        for case, event in [(case, event) for case, event in opened.items() if case in answered]:
            counts += _counted(event, answered[case] - event.occurred_at, touched[case])
    return counts


def _counted(event: Event, wait: int, version: int) -> Counter[str]:
    queue = event.queue if version == 2 or event.queue == "billing" else "other"
    counts = Counter({f"offered {queue}": 1, f"definitions {version}": 1})
    counts["met"] += wait <= (300_000 if version == 2 else 30_000)
    counts["verdicts"] += 1
    if event.channel == "phone" or version == 2:
        counts[f"queued {queue}"] += 1
        counts[f"within {queue}"] += wait <= (60_000 if version == 2 else 20_000)
    return counts


def _kpis_of(want: Counter[str]) -> Counter[str]:
    return +Counter({name: amount for name, amount in want.items() if not name.startswith("definitions")})


async def counted(installation: Installation) -> Counter[str]:
    """The same from the published KPIs."""
    kpis = await installation.kpis("60m")
    counts: Counter[str] = Counter()
    for queue in ("billing", "orders", "other"):
        level = kpis.get(("service_level", f"queue={queue}"), {})
        counts[f"offered {queue}"] = kpis.get(("offered", f"queue={queue}"), {}).get("value") or 0
        counts[f"queued {queue}"] = level.get("denominator") or 0
        counts[f"within {queue}"] = level.get("numerator") or 0
    attainment = kpis.get(("sla_attainment_first_reply", ""), {})
    counts["met"], counts["verdicts"] = attainment.get("numerator") or 0, attainment.get("denominator") or 0
    return +counts


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
            return want["verdicts"] == load.sent and await counted(installation) == _kpis_of(want)

        with suppress(AssertionError):  # the assertions below then show the difference
            await eventually_async(exact, within_seconds=60)
        want = await wanted()
        assert (want["verdicts"], min(want["definitions 1"], want["definitions 2"]) > 50) == (load.sent, True)
        assert await counted(installation) == _kpis_of(want)
        assert (await installation.kpis("60m"))["offered", "team=red"]["value"] == load.sent
        assert (await installation.command(new, "config", "publish"))[1].startswith("Nothing to publish")
        assert [await asyncio.to_thread(worker.stop) for worker in workers] == [0, 0]
        assert [complaints(worker.log) for worker in workers] == [[], []]

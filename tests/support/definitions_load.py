"""Cases under two definitions: their events, and what they must count as by the log alone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from models.events.canonical import Definitions, Event, Mark
from models.progress.watermark import Progress
from stream_app.wire import canonical
from tests.oracle import published
from tests.support.installation import Installation
from tests.support.waiting import eventually_async

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
        return [
            (case.encode(), orjson.dumps({**event, "case_id": case, "event_id": f"{case}-{step}"})) for step, event in enumerate(events)
        ]


async def expected(installation: Installation) -> Counter[str]:
    """What must be counted, by the log alone: each case under the definitions of its last event, or of the mark that fired its timer."""
    logs: dict[int, list[Any]] = {}
    async for record in published.records(installation.bootstrap, f"{installation.prefix}.events"):
        read = canonical.decode_event if record.key is not None else canonical.decode_control
        logs.setdefault(record.partition, []).append(read(record.value))
    counts: Counter[str] = Counter()
    for records in logs.values():
        for event, wait, version in answered_under(records):
            counts += _counted(event, wait, version)
    return counts


def answered_under(records: Iterable[Event | Mark | Definitions]) -> list[tuple[Event, int, int]]:
    """Of one log: the opening of each answered case, the wait for its answer (ms) and the definitions it is counted under."""
    opened: dict[str, Event] = {}
    waits: dict[str, int] = {}
    due: dict[str, int] = {}
    touched: dict[str, int] = {}
    progress = Progress()
    version = 0
    for record in records:
        if isinstance(record, Definitions):
            version = max(version, record.version)
        elif isinstance(record, Mark):
            fired = [case for case, at in due.items() if at <= progress.watermark] if progress.take(record) else []
            touched |= dict.fromkeys(fired, version)
            for case in fired:
                del due[case]  # a breach is certain once, though the answer after it be read later
        else:
            touched[record.case_id] = version
            if record.type == "contact.opened":
                opened[record.case_id] = record
                due |= {record.case_id: record.occurred_at + REPLY_DUE * 1000} if version == 1 else {}
            elif record.type == "contact.answered":
                waits[record.case_id] = record.occurred_at - opened[record.case_id].occurred_at
                if waits[record.case_id] < REPLY_DUE * 1000:
                    due.pop(record.case_id, None)
    return [(opened[case], wait, touched[case]) for case, wait in waits.items()]


def _counted(event: Event, wait: int, version: int) -> Counter[str]:
    queue = event.queue if version == 2 or event.queue == "billing" else "other"
    counts = Counter({f"offered {queue}": 1, f"definitions {version}": 1})
    counts["met"] += wait <= (300_000 if version == 2 else 30_000)
    counts["verdicts"] += 1
    if event.channel == "phone" or version == 2:
        counts[f"queued {queue}"] += 1
        counts[f"within {queue}"] += wait <= (60_000 if version == 2 else 20_000)
    return counts


def kpis_of(want: Counter[str]) -> Counter[str]:
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

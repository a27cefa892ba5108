"""On real Kafka: dead letters are listed, shown, mended and sent back; each event counts once; nothing of a person gets into a log."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream_app.brokers.kafka import KafkaBroker
from tests.oracle import published
from tests.support.installation import Installation, OneWorker
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.slow]

PERSON, SAID = "PERSON-4711", "MY-SECRET-WORDS"
DEBUG = '[log]\nlevel = "debug"\nformat = "json"\n'


def opened(case: str, **fields: Any) -> tuple[bytes, bytes]:
    about = {"queue": "billing", "channel": "phone", "customer_id": PERSON, "agent_id": PERSON, "comment": SAID}
    event = {"type": "contact.opened", "occurred_at": int(time.time() * 1000) - 60_000, "case_id": case, "event_id": f"{case}-1", **about, **fields}
    return case.encode(), orjson.dumps(event)


class Desk:
    """The dead letters of an installation, by its own commands."""

    def __init__(self, installation: Installation, file: Path) -> None:
        self.installation = installation
        self.file = file

    async def say(self, *words: str) -> tuple[int, str]:
        return await self.installation.command(self.file, "dead-letters", *words)

    async def letters(self) -> list[dict[str, Any]]:
        code, said = await self.say("list", "--json")
        assert code == 0, said
        return [orjson.loads(line) for line in said.splitlines()]

    async def reasons(self) -> Counter[str]:
        return Counter(letter["reason"] for letter in await self.letters())

    async def become(self, want: dict[str, int]) -> None:
        async def there() -> bool:
            return await self.reasons() == want

        await eventually_async(there, within_seconds=30, what=f"the letters {want}")

    async def offered(self, want: int, **counted: int) -> None:
        """So many contacts in the KPI, and this in the counters of the processors."""

        async def there() -> bool:
            kpi = (await self.installation.kpis("60m")).get(("offered", ""), {})
            counters = await self.counters()
            return kpi.get("value") == want and all(counters[name] == amount for name, amount in counted.items())

        await eventually_async(there, within_seconds=30, what=f"{want} contacts offered and {counted}")

    async def counters(self) -> Counter[str]:
        newest: dict[bytes, Counter[str]] = {}
        async for record in published.records(self.installation.bootstrap, f"{self.installation.prefix}.panes"):
            if record.key.startswith(b'["s","cases"'):
                newest[record.key] = Counter(orjson.loads(record.value)["counters"])
        return sum(newest.values(), Counter())


async def test_letters_go_back_once_mended_and_count_once(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    installation = Installation(kafka.bootstrap, prefix, tmp_path)
    file = installation.file("desk", DEBUG)
    await installation.create_topics(file)
    desk = Desk(installation, file)
    assert (await desk.say("list"))[1].split() == ["0", "dead", "letters"]
    worker = OneWorker(installation, file, "worker")
    try:
        now = int(time.time() * 1000)
        await installation.send("contacts", [opened("good"), opened("misspelt", type="contact.open")])
        for partition in (0, 1):
            await installation.send("contacts", [(b"k", f'{{"customer_id": "{PERSON}", '.encode())], partition=partition)
        await installation.send("contacts", [opened("early")], timestamp_ms=now - 3_600_000)  # its sender's clock is an hour ahead
        await desk.become({"unknown_type": 1, "not_json": 2, "from_the_future": 1})
        await desk.offered(1)
        at = {letter["reason"]: str(letter["offset"]) for letter in await desk.letters()}

        code, said = await desk.say("list", "--reason", "unknown_type")
        assert (code, "type" in said, PERSON in said, "1 dead letters" in said) == (0, True, False, True), said
        code, said = await desk.say("show", at["unknown_type"])
        assert (code, f'"customer_id": "{PERSON}"' in said, "the decoder refuses it: unknown_type type" in said) == (0, True, True), said
        assert (await desk.say("show", "999"))[0] == 1

        code, said = await desk.say("replay", "--reason", "from_the_future", "--dry-run")
        assert (code, "1 would be sent, 0 stay" in said) == (0, True), said
        assert (await desk.say("replay", "--reason", "from_the_future"))[0] == 0
        await desk.offered(2)
        code, said = await desk.say("replay", "--reason", "from_the_future")
        assert (code, "0 sent, 0 stay, 1 were replayed before" in said) == (0, True), said
        assert (await desk.say("replay", at["from_the_future"], "--again"))[0] == 0
        await desk.offered(2, duplicates=1)

        code, said = await desk.say("replay", "--all")
        assert (code, "0 sent, 3 stay, 1 were replayed before" in said) == (1, True), said
        code, said = await desk.say("replay", at["unknown_type"], "--edit", "sed s/contact.open/contact.opened/")
        assert code == 0, said
        await desk.offered(3)

        assert (await desk.say("replay", "--reason", "not_json", "--anyway"))[0] == 0
        await desk.become({"unknown_type": 1, "not_json": 4, "from_the_future": 1})
        letters = await desk.letters()
        assert [letter["replayed"] for letter in letters] == [True, True, True, True, False, False]
        again = letters[-2:]
        assert {letter["partition"] for letter in again} == {0, 1}
        code, said = await desk.say("show", str(again[0]["offset"]))
        assert f"header    deskpulse-replayed-from: {prefix}.dead-letters-0@" in said
        await desk.offered(3, applied=3, duplicates=1)
    finally:
        worker.end()
    assert worker.log.count("\n") > 5
    assert [line for line in worker.log.splitlines() if PERSON in line or SAID in line] == []

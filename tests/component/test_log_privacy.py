"""Poison with the id of a person and words of a message in it, through every part that may fail: neither gets into a log."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import msgspec
import pytest

from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings
from agents.keyed import KeyedProcessor, UnreadableLogError
from models.cases.fold import CaseFold
from models.customers import logic as customers_logic
from models.durability.fence import pack
from models.durability.keyed import TooManyFailuresError
from models.durability.recovery import seal
from models.events.canonical import FIRST_VERSION, Definitions
from models.progress.sources import InputSource
from stream_app.app import engine_settings
from stream_app.definitions import DefinitionsError, definitions_log, log
from stream_app.engine.failure import FailStop
from stream_app.engine.recovery import _Absorber
from stream_app.engine.stateful import Status
from stream_app.logs import configure_logging
from stream_app.settings import Settings, parse_settings
from stream_app.wire import canonical
from stream_app.wire.dead_letters import dead_letter
from tests.support.definitions_logs import Logs, replaced
from tests.support.input_records import InputRecord
from tests.support.pipeline import Pipeline

PERSON, SAID = "person-4711", "my secret words"
NOON = 1_772_452_800_000
QUOTING = ValueError(f"{PERSON}: {SAID}")

pytestmark = [pytest.mark.replaces]


@pytest.fixture(params=["text", "json"])
def said(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged, from debug on. At the end none of it quotes anything, and a worker that failed has said so."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    stream = io.StringIO()
    configure_logging("debug", request.param, stream)
    yield stream
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before
    assert PERSON not in stream.getvalue()
    assert SAID not in stream.getvalue()


def poison(**fields: object) -> bytes:
    about = {"type": "contact.opened", "occurred_at": NOON, "case_id": PERSON, "customer_id": PERSON, "agent_id": PERSON, "comment": SAID}
    return msgspec.json.encode({**about, **fields})


POISON = [
    poison()[:-5],
    poison(type=SAID),
    poison(schema=PERSON),
    poison(occurred_at=SAID),
    poison(type="survey.responded", kind=SAID, survey_id="s", score=1),
    poison(type="case.status_changed", status=SAID),
    poison(case_id=[PERSON]),
    poison(**{PERSON: SAID}),
    b"\xff" + poison(),
    b"[" + poison() + b"]",
]


def ended(failure: Exception) -> None:
    """What the engine does with what a processor raises."""
    codes: list[int] = []
    FailStop(codes.append)("cases 0: handling records failed", cause=failure)
    assert codes == [70]


def test_bad_messages(said: io.StringIO) -> None:
    pipeline = Pipeline(2)
    for value in POISON:
        pipeline.feed("contacts", value, 0)
    pipeline.declare(NOON)
    pipeline.drain()
    assert pipeline.intake.counters.dead_lettered.total() >= 8


def test_a_defect_of_intake(said: io.StringIO) -> None:
    def decode(value: bytes | None, timestamp: int, origin: str) -> Any:
        raise QUOTING

    intake = IntakeProcessor(IntakeSettings({"contacts": InputSource(1, "wall")}), IntakeCodec(decode, canonical.encode, dead_letter))
    intake.assigned({"contacts-0"})
    with pytest.raises(ValueError) as failed:
        intake.handle("contacts-0", [InputRecord(poison(), offset) for offset in range(200)])
    ended(failed.value)
    assert "ValueError" in said.getvalue()


def fed(events: int = 30) -> Pipeline:
    pipeline = Pipeline(1)
    for number in range(events):
        pipeline.feed("contacts", poison(event_id=f"e{number}"))
    return pipeline


def test_a_defect_of_cases(said: io.StringIO) -> None:
    with patch.object(CaseFold, "step", side_effect=QUOTING), pytest.raises(TooManyFailuresError) as failed:
        fed().drain()
    ended(failed.value)
    assert "25 records in a row could not be handled; the last error: ValueError" in said.getvalue()


def test_a_defect_of_customers(said: io.StringIO) -> None:
    pipeline = Pipeline(1)
    for number in range(30):
        pipeline.feed("contacts", poison(event_id=f"e{number}", case_id=f"c{number}"))
    with patch.object(customers_logic, "facts_of", side_effect=QUOTING), pytest.raises(TooManyFailuresError) as failed:
        pipeline.drain()
    ended(failed.value)


def test_a_log_record_that_is_none_of_ours(said: io.StringIO) -> None:
    pipeline = fed(1)
    processor: KeyedProcessor = pipeline.processors[0]
    for key, value in ((PERSON.encode(), poison(type=7)), (None, poison(control=SAID))):
        with pytest.raises(UnreadableLogError) as failed:
            processor.handle(processor.new_state(0), [InputRecord(value, 0, key=key)])
        ended(failed.value)


@pytest.mark.parametrize("key", [b"r" + PERSON.encode(), b"p" + PERSON.encode(), b"?" + PERSON.encode(), b"m"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_changelog_record_that_cannot_be_read(said: io.StringIO, key: bytes, number: int) -> None:
    processor = Pipeline(1).processors[number]
    partition: Any = SimpleNamespace(processor=processor, partition=0, status=Status.RECOVERING, name="cases 0")
    absorber = _Absorber(partition)
    absorber.absorb(cast("Any", [InputRecord(seal(pack(0, 1), poison()), 3, key=key)]))
    assert absorber.complete() is None
    assert "event=partition_quarantined" in said.getvalue() or '"event": "partition_quarantined"' in said.getvalue()


def test_records_that_rollup_cannot_read(said: io.StringIO) -> None:
    pipeline = Pipeline(1)
    for key in (poison(), b'["p"]', b'["s", "cases", 0]', b'["l", "cases", 0]'):
        pipeline.rollup.read_panes(cast("Any", [InputRecord(poison(), 0, key=key)]))
    pipeline.rollup.read_published("kpis", cast("Any", [InputRecord(poison(), 0, key=poison())]))
    assert pipeline.rollup.unreadable >= 4


async def test_definitions_that_cannot_be_read(said: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = Logs()
    for name, replacement in replaced(logs).items():
        monkeypatch.setattr(log, name, replacement)
    settings: Settings = parse_settings("")
    async with definitions_log(engine_settings(settings), 1) as definitions:
        logs.of(definitions.partitions[0]).append((None, canonical.encode(Definitions(FIRST_VERSION, {}))))
        logs.of(definitions.partitions[0]).append((None, poison(control=PERSON)))
        with pytest.raises(DefinitionsError) as failed:
            await definitions.published()
    ended(failed.value)


def test_what_the_libraries_say(said: io.StringIO) -> None:
    logging.getLogger("aiokafka.producer.producer").debug("Sending (key=%s value=%s) to %s", PERSON, poison(), "contacts")
    logging.getLogger("faust.agents.agent").error("[^---Agent*: x]: Crashed reason=%r", QUOTING, exc_info=QUOTING)
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <Task exception={QUOTING!r}>", exc_info=QUOTING)  # noqa: G004
    assert said.getvalue().count("ValueError") >= 3

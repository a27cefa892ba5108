"""Every record that the processors write, and every event that the feeds send, is as its published schema and type say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.keyed import KeyedProcessor
from models.events.canonical import ContactVersion, Definitions, Event, Mark
from models.events.contract import INPUT_TYPES
from stream_app.contracts.case_records import CaseEvent, ClosedCase, DeadLetterHeaders, OpenCase, SlaEvent
from stream_app.contracts.internal_records import ExpiredPane, LevelValue, PaneValue, StatusValue
from stream_app.contracts.kpi_records import FinalKpi, LiveKpi, NextToBreach, PipelineWatermark, SourceProgress
from stream_app.wire.keyed import CASES, CUSTOMERS
from tests.support.input_records import InputRecord
from tests.support.pipeline import INPUTS, LogRecord
from tests.support.record_schemas import OUTPUTS, RecordJudge, Validation
from tests.support.recorded_traffic import BAD, traffic

TYPES: dict[str, tuple[Any, ...]] = {
    "kpis": (LiveKpi, PipelineWatermark, SourceProgress, NextToBreach),
    "kpi-windows": (FinalKpi,),
    "case-events": (CaseEvent,),
    "sla-events": (SlaEvent,),
    "cases": (OpenCase, ClosedCase),
    "dead-letters": (DeadLetterHeaders,),
    "events": (Event, Mark | Definitions),
    "customer-log": (ContactVersion, Mark | Definitions),
    "panes": (PaneValue, ExpiredPane, LevelValue, StatusValue),
}


def records(topic: str) -> list[LogRecord]:
    """Records of a topic, tombstones left out. Dead letters are their headers."""
    found = [record for record in traffic().topics.all(topic) if record.value is not None and record.value not in BAD]
    assert found, topic
    return found


@pytest.mark.parametrize("topic", OUTPUTS)
def test_every_record_is_as_its_schema_says(topic: str) -> None:
    validation = Validation()
    for record in traffic().topics.all(topic):
        validation.take(topic, record)
    assert validation.faults == []
    assert validation.records > 0


@pytest.mark.parametrize("processor", [CasesProcessor(1, CASES), CustomersProcessor(1, CUSTOMERS)], ids=lambda processor: processor.name)
def test_what_a_partition_says_before_it_has_heard_the_time_is_as_its_schema_says(processor: KeyedProcessor) -> None:
    validation = Validation()
    for output in processor.publish(processor.new_state(0)):
        validation.take(output.topic, InputRecord(output.value, 0, key=output.key))
    assert validation.faults == []
    assert validation.records > 0


@pytest.mark.parametrize("topic", OUTPUTS)
def test_every_record_is_read_whole_by_its_type_and_written_the_same_again(topic: str) -> None:
    seen = set()
    for record in records(topic):
        value = record.value if topic != "dead-letters" else msgspec.json.encode({name: text.decode() for name, text in record.headers})
        assert value is not None
        kind = next((kind for kind in TYPES[topic] if _reads(kind, value)), None)
        assert kind is not None, value
        seen.add(kind)
    assert seen == set(TYPES[topic]), "the traffic of this test has records of every type"


def _reads(kind: Any, value: bytes) -> bool:
    try:
        record = msgspec.json.decode(value, type=kind)
    except msgspec.ValidationError:
        return False
    return bool(msgspec.json.decode(msgspec.json.encode(record)) == msgspec.json.decode(value))


def test_every_event_that_feeds_send_is_as_its_schema_says() -> None:
    validation = Validation()
    for topic in INPUTS:
        for record in records(topic):
            validation.take(topic, record)
    assert validation.faults == []


def test_the_traffic_of_these_tests_has_every_event_type() -> None:
    types = {msgspec.json.decode(record.value or b"")["type"] for topic in INPUTS for record in records(topic)}
    assert types == set(INPUT_TYPES)


@pytest.mark.parametrize(
    ("topic", "value", "fault"),
    [
        ("sla-events", b'{"id": "a"}', '"case_id" is a required property'),
        ("case-events", b'{"news": 1}', "Additional properties"),
        ("cases", b'{"fence": [0], "deleted": true}', "not valid under any"),
    ],
)
def test_a_record_that_is_not_as_its_schema_says_is_noticed(topic: str, value: bytes, fault: str) -> None:
    assert fault in RecordJudge(topic).fault(b"c1", value)

"""Intake with a mapping: every message is counted once, and what is refused keeps its original bytes."""

from __future__ import annotations

import msgspec
import pytest

from models.progress.sources import InputSource
from stream_app.mapping.file import parse_rules
from stream_app.mapping.source import source_mapping
from tests.support.input_records import NOW, InputRecord, record
from tests.support.intakes import dead_letters, events, intake

MAPPING = source_mapping(
    parse_rules(
        """
        [defaults]
        case_id = "id"
        occurred_at = "at"
        [[rules]]
        when = "kind == 'done'"
        [[rules.emit]]
        type = "case.resolved"
        [[rules.emit]]
        type = "case.closed"
        [[rules]]
        when = "kind == 'typing'"
        ignore = true
        [[rules]]
        when = "kind == 'until'"
        emit = { type = "source.progress", up_to = "at" }
        [[rules]]
        when = "kind == 'prio'"
        emit = { type = "case.priority_changed", priority = { from = "prio", table = { P1 = "urgent" } } }
        """,
        "m.toml",
    )
)


def told(kind: str, offset: int = 0, **more: object) -> InputRecord:
    return InputRecord(msgspec.json.encode({"kind": kind, "id": 7, "at": NOW, **more}), offset)


def test_every_message_is_accounted_for() -> None:
    processor = intake(mapping=MAPPING)
    records = [
        told("done"),
        told("typing"),
        told("until"),
        told("prio", prio="P1"),
        told("prio", prio="P9"),
        told("new"),
        InputRecord(b"{"),
    ]
    outputs = processor.handle("contacts-0", records)
    counters = processor.counters
    assert [event.type for event in events(outputs)] == ["case.resolved", "case.closed", "case.priority_changed"]
    assert (counters.accepted, counters.split, counters.ignored, counters.progress_records) == (3, 1, 1, 1)
    assert counters.dead_lettered == {"invalid_field": 1, "unmapped": 1, "not_json": 1}
    assert counters.accounted_for == counters.received == 7


def test_a_redelivered_message_gives_the_same_events_under_the_same_ids() -> None:
    first = events(intake(mapping=MAPPING).handle("contacts-0", [told("done", offset=3)]))
    again = events(intake(mapping=MAPPING).handle("contacts-0", [told("done", offset=3)]))
    assert first == again
    assert len({event.event_id for event in first}) == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\x00\x00\x00\x00\x07avro", "schema_registry_bytes"),
        (b"plain", "not_json"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b"[" * 5_000 + b"]" * 5_000, "too_deep"),
        (b" " * 1_000_001, "too_large"),
        (b"", "empty"),
        (None, "empty"),
        (b"[1]", "unmapped"),
        (b'"new"', "unmapped"),
        (b'{"kind": "done"}', "missing_field"),
        (b'{"kind": "done", "id": 7, "at": "soon"}', "invalid_field"),
        (b'{"kind": "done", "id": 7, "at": 4000000000000}', "from_the_future"),
        (b'{"kind": "done", "id": [7], "at": 1}', "invalid_field"),
        (b'{"kind": "done", "id": "a\\u0000", "at": 1}', "invalid_field"),
    ],
)
def test_what_can_not_be_mapped_is_a_dead_letter_with_its_own_reason_and_the_original_bytes(value: bytes | None, reason: str) -> None:
    (letter,) = intake(mapping=MAPPING).handle("contacts-0", [InputRecord(value)])
    assert letter.topic == "dead-letters"
    assert letter.value == (value if value is None else value[: len(letter.value or b"")])
    assert [found["reason"] for found in dead_letters([letter])] == [reason]


def test_a_refused_field_is_named_as_the_contract_names_it() -> None:
    (letter,) = dead_letters(intake(mapping=MAPPING).handle("contacts-0", [told("done", at="soon")]))
    assert (letter["reason"], letter["field"]) == ("invalid_field", "occurred_at")


def test_a_message_is_mapped_as_a_whole_or_not_at_all() -> None:
    broken = source_mapping(
        parse_rules(
            """
            [[rules]]
            emit = { type = "case.closed", case_id = "id", occurred_at = "at" }
            [[rules]]
            emit = { type = "case.reopened", case_id = "other", occurred_at = "at" }
            """,
            "m.toml",
        )
    )
    assert [output.topic for output in intake(mapping=broken).handle("contacts-0", [told("x")])] == ["dead-letters"]


def test_inputs_without_a_mapping_speak_the_contract() -> None:
    processor = intake("contacts-0", "surveys-0", mappings={"contacts": MAPPING}, contacts=InputSource(1), surveys=InputSource(1))
    assert len(events(processor.handle("contacts-0", [told("done")]))) == 2
    assert len(events(processor.handle("surveys-0", [record()]))) == 1


def test_a_mapped_event_moves_its_source() -> None:
    processor = intake("contacts-0", mapping=MAPPING, contacts=InputSource(1, "declared"))
    processor.handle("contacts-0", [told("until")])
    (mark,) = processor.marks(NOW, {}, 0)[:1]
    assert msgspec.json.decode(mark.value or b"")["sources"] == {"contacts-0": NOW}

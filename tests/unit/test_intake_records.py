"""Intake: every input record becomes log records or one dead letter, and is counted once."""

from __future__ import annotations

import pytest

from agents.intake import IntakeCodec
from models.events.accepted import Accepted
from models.events.rejection import RejectedError
from models.progress.sources import InputSource
from stream_app.wire.canonical import encode
from stream_app.wire.dead_letters import SIZE_CAP_BYTES, dead_letter
from stream_app.wire.decoder import decode
from tests.support.input_records import NOW, InputRecord, message, record
from tests.support.intakes import dead_letters, events, intake


def test_an_event_goes_to_the_log_keyed_by_its_case_with_its_origin() -> None:
    (output,) = intake("contacts-1").handle("contacts-1", [record("contact.opened", offset=42, case_id="ü1")])
    assert (output.topic, output.key, output.partition) == ("events", "ü1".encode(), None)
    assert events([output])[0].origin == "contacts-1@42"


def test_a_dead_letter_keeps_bytes_key_and_headers_and_says_where_and_why() -> None:
    bad = InputRecord(message(case_id=None), 7, NOW, b"key", (("trace", b"t1"),))
    processor = intake(contacts=InputSource(1, topic="crm.contacts"))
    (output,) = processor.handle("contacts-0", [bad])
    assert (output.topic, output.key, output.value) == ("dead-letters", b"key", bad.value)
    assert dead_letters([output]) == [
        {
            "trace": "t1", "reason": "missing_field", "field": "case_id", "detail": "neither case_id nor contact_id",
            "topic": "crm.contacts", "partition": "0", "offset": "7", "timestamp": str(NOW), "by": "intake",
        }
    ]  # fmt: skip


def test_null_key_and_null_value_stay_null_in_the_dead_letter() -> None:
    (output,) = intake().handle("contacts-0", [InputRecord(None)])
    assert (output.key, output.value) == (None, None)
    assert dead_letters([output])[0]["reason"] == "empty"


def test_a_bad_record_between_good_ones_costs_only_itself() -> None:
    outputs = intake().handle("contacts-0", [record(event_id="a"), InputRecord(b"{"), record(event_id="b")])
    assert [output.topic for output in outputs] == ["events", "dead-letters", "events"]


def test_every_record_is_accounted_for() -> None:
    def mapping(value: bytes | None, timestamp: int, origin: str) -> list[Accepted]:
        return [] if value == b"noise" else [decode(value, timestamp, origin)]

    processor = intake(mapping=mapping)
    processor.handle(
        "contacts-0",
        [
            record(colour="red"),
            record("contact.recorded", opened_at=NOW, ended_at=NOW, resolved_at=NOW),
            record("source.progress", up_to=NOW),
            InputRecord(b"noise"),
            InputRecord(b"{"),
            InputRecord(None),
        ],
    )
    counters = processor.counters
    assert (counters.accepted, counters.split, counters.progress_records, counters.ignored) == (4, 2, 1, 1)
    assert counters.dead_lettered == {"not_json": 1, "empty": 1}
    assert counters.unknown_fields == 1
    assert counters.accounted_for == counters.received == 6


def test_a_message_mapped_to_several_is_accepted_or_refused_as_a_whole() -> None:
    def twice(value: bytes | None, timestamp: int, origin: str) -> list[Accepted]:
        return [decode(each, timestamp, origin) for each in (message(event_id="a"), value)]

    processor = intake(mapping=twice)
    assert [event.event_id for event in events(processor.handle("contacts-0", [record(event_id="b")]))] == ["a", "b"]
    (refused,) = processor.handle("contacts-0", [InputRecord(b"[]")])
    assert refused.topic == "dead-letters"
    assert processor.counters.accounted_for == 2


def test_what_a_mapping_does_not_know_is_a_dead_letter() -> None:
    def strict(value: bytes | None, timestamp: int, origin: str) -> list[Accepted]:
        raise RejectedError("unmapped", "", origin)

    outputs = intake(mapping=strict).handle("contacts-0", [record()])
    assert [(letter["reason"], letter["detail"]) for letter in dead_letters(outputs)] == [("unmapped", "contacts-0@0")]


def _defective(value: bytes | None, timestamp: int, origin: str) -> Accepted:
    if value == b"refused":
        raise RejectedError("not_json")
    raise KeyError(origin)


def test_a_defect_met_by_one_record_is_a_dead_letter() -> None:
    processor = intake(codec=IntakeCodec(_defective, encode, dead_letter))
    outputs = processor.handle("contacts-0", [InputRecord(b"x")])
    assert [(letter["reason"], letter["detail"]) for letter in dead_letters(outputs)] == [("internal_error", "KeyError")]


def test_a_defect_met_by_a_hundred_records_in_a_row_stops_the_worker() -> None:
    processor = intake(codec=IntakeCodec(_defective, encode, dead_letter))
    processor.handle("contacts-0", [InputRecord(b"x")] * 99 + [InputRecord(b"refused")] + [InputRecord(b"x")] * 99)
    with pytest.raises(KeyError):
        processor.handle("contacts-0", [InputRecord(b"x")])


def test_a_letter_that_no_broker_would_take_is_cut() -> None:
    (output,) = intake().handle("contacts-0", [InputRecord(b"x" * 10_000_000, key=b"k", headers=(("h", b"1"),))])
    assert len(output.value or b"") < SIZE_CAP_BYTES
    assert output.key == b"k"
    assert dead_letters([output])[0]["reason"] == "too_large"
    assert dead_letters([output])[0]["original_size"] == "10000000"


def test_a_key_that_is_too_large_alone_is_cut_too() -> None:
    (output,) = intake().handle("contacts-0", [InputRecord(b"x", key=b"k" * 1_000_000, headers=(("h", b"1"),))])
    assert (len(output.key or b""), output.value) == (1024, b"x")
    assert "h" not in dead_letters([output])[0]


def test_same_id_and_body_twice_gives_the_same_log_record_but_for_its_origin() -> None:
    first, second = events(intake().handle("contacts-0", [record(event_id=None), record(event_id=None)]))
    assert first == second


def test_same_id_and_other_body_both_reach_the_log_where_the_case_decides() -> None:
    both = events(intake().handle("contacts-0", [record(customer_id="u1"), record(customer_id="u2")]))
    assert [(event.event_id, event.customer_id) for event in both] == [("e1", "u1"), ("e1", "u2")]

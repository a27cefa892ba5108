"""Bad input through the whole pipeline: each a dead letter with reason, field and origin, nothing else disturbed."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.pipeline import INPUTS, SENT_AT, LogRecord, Pipeline

DAY = 86_400_000
NOON = 1_772_452_800_000  # 2026-03-02T12:00:00Z


def contact(case: str, at: int = NOON, **fields: object) -> dict[str, object]:
    """An opened contact."""
    return {"type": "contact.opened", "event_id": f"{case}-o", "occurred_at": at, "case_id": case, "customer_id": f"k-{case}", **fields}


def raw(**fields: object) -> bytes:
    """A contact with some fields replaced, as bytes."""
    return msgspec.json.encode({**contact("bad"), **fields})


def offered(pipeline: Pipeline) -> float:
    """The contacts offered over everything, as published."""
    [row] = [row for row in pipeline.newest("kpi-windows").values() if (row["kpi"], row["window"], row["group"]) == ("offered", "span", {})]
    return float(row["value"])


BAD = {
    "truncated": (b'{"type": "contact.op', "not_json", ""),
    "not UTF-8": (b'{"type": "\xff\xfe"}', "not_utf8", ""),
    "null": (b"null", "not_an_object", ""),
    "a list": (b"[]", "not_an_object", ""),
    "empty": (b"", "empty", ""),
    "ten megabytes": (b'{"type": "' + b"x" * 10_000_000 + b'"}', "too_large", ""),
    "deeply nested": (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep", ""),
    "a number as case": (raw(case_id=7), "invalid_field", "case_id"),
    "no type": (b'{"occurred_at": 1772452800000, "case_id": "c"}', "missing_field", "type"),
    "no instant": (b'{"type": "contact.opened", "case_id": "c"}', "missing_field", "occurred_at"),
    "no key": (b'{"type": "contact.opened", "occurred_at": 1772452800000}', "missing_field", "case_id"),
    "NaN": (b'{"type": "contact.ended", "occurred_at": 1772452800000, "case_id": "c", "talk_s": NaN}', "not_json", ""),
    "an infinite number": (b'{"type": "contact.ended", "occurred_at": 1772452800000, "case_id": "c", "talk_s": 1e400}', "", "talk_s"),
    "a huge integer": (raw(occurred_at=10**30), "invalid_field", "occurred_at"),
    "an unknown type": (raw(type="contact.teleported"), "unknown_type", "type"),
    "an unknown schema": (raw(schema=9), "unknown_schema", "schema"),
    "the future": (raw(occurred_at=SENT_AT + 600_000), "from_the_future", "occurred_at"),
    "schema registry bytes": (b"\x00\x00\x00\x00\x01abc", "schema_registry_bytes", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_message_becomes_a_dead_letter_with_reason_field_and_origin(name: str) -> None:
    value, reason, field = BAD[name]
    pipeline = Pipeline(2)
    pipeline.feed("contacts", contact("good-1"), 1)
    pipeline.feed("contacts", value, 1)
    pipeline.feed("contacts", contact("good-2"), 1)
    pipeline.declare(NOON + DAY)
    pipeline.drain()

    [letter] = pipeline.topics.all("dead-letters")
    headers = {key: content.decode() for key, content in letter.headers}
    assert letter.value == value or "original_size" in headers
    assert (headers["topic"], headers["partition"]) == ("contacts", "1")
    assert headers["offset"] == "1"
    assert headers["reason"] == (reason or headers["reason"])
    assert not field or headers["field"] == field
    assert offered(pipeline) == 2
    assert pipeline.intake.counters.accounted_for == pipeline.intake.counters.received


def test_every_message_sent_is_accepted_duplicate_ignored_or_dead() -> None:
    pipeline = Pipeline(2)
    good = [contact(f"c{number}", NOON + number) for number in range(50)]
    conflict = {**good[3], "queue": "elsewhere"}
    for event in (*good, *good[:10], conflict):
        pipeline.feed("contacts", event)
    for value, _, _ in BAD.values():
        pipeline.feed("contacts", value, 0)
    pipeline.feed("surveys", b"", 0)
    pipeline.declare(NOON + DAY)
    sent = sum(len(pipeline.topics.all(name)) for name in INPUTS)
    pipeline.drain()

    counted: dict[str, int] = {}
    for (name, _), state in pipeline.states.items():
        if name == "cases":
            for key, amount in state.counters.items():
                counted[key] = counted.get(key, 0) + amount
    assert (counted["applied"], counted["duplicates"], counted["conflicts"]) == (50, 10, 1)
    intake = pipeline.intake.counters
    dead = len(pipeline.topics.all("dead-letters"))
    assert dead == intake.dead_lettered.total() + counted["conflicts"]
    assert sent == intake.progress_records + intake.ignored + counted["applied"] + counted["duplicates"] + dead


def test_same_id_other_content_counts_the_least_whichever_came_first() -> None:
    early, late = contact("c", NOON, queue="first"), contact("c", NOON + 1_000, queue="second")
    published = []
    for order in ((early, late), (late, early)):
        pipeline = Pipeline(2)
        for event in order:
            pipeline.feed("contacts", event)
        pipeline.declare(NOON + DAY)
        pipeline.drain()
        [letter] = pipeline.topics.all("dead-letters")
        assert dict(letter.headers)["reason"] == b"conflicting_duplicate"
        assert b'"second"' in (letter.value or b"")
        published.append(pipeline.facts())
    assert published[0] == published[1]


def test_event_older_than_the_horizon_is_counted_too_late_and_touches_nothing() -> None:
    pipeline = Pipeline(2, {"horizon_s": 86_400})
    pipeline.feed("contacts", contact("now", NOON + 3 * DAY))
    pipeline.declare(NOON + 3 * DAY)
    pipeline.drain()
    before = pipeline.facts()
    pipeline.feed("contacts", contact("old", NOON))
    pipeline.drain()
    assert pipeline.facts() == before
    assert sum(state.counters.get("too_late", 0) for (name, _), state in pipeline.states.items() if name == "cases") == 1


def test_null_key_and_null_value_are_no_reason_to_stop() -> None:
    pipeline = Pipeline(2)
    pipeline.topics.partitions["contacts", 0].append(LogRecord(0, None, None))
    pipeline.feed("contacts", contact("c"), 0)
    pipeline.declare(NOON + DAY)
    pipeline.drain()
    [letter] = pipeline.topics.all("dead-letters")
    assert dict(letter.headers)["reason"] == b"empty"
    assert offered(pipeline) == 1


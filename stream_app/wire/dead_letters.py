"""The record that keeps what could not be accepted, with where it stood and why."""

from __future__ import annotations

from agents.ports import Output, Record
from models.events.rejection import RejectedError

SIZE_CAP_BYTES = 900_000
"""Key, value and original headers of a dead letter, so that Kafka's default limit (1 MiB) takes it with ours."""


def dead_letter(record: Record, topic: str, partition: int, rejection: RejectedError, by: str) -> Output:
    """Original key, bytes and headers, then the headers reason, field, detail, topic, partition, offset, timestamp, by.

    A letter that no broker would take is cut: its value (its other parts, if they alone are too
    large) ends early and the header ``original_size`` tells how long the value was.
    """
    key, value, headers = record.key, record.value, _original_headers(record)
    about = _about(record, topic, partition, rejection, by)
    room = SIZE_CAP_BYTES - len(key or b"") - sum(len(name) * 4 + len(content) for name, content in headers)
    if room < 0:
        key, headers, room = key and key[:1024], (), SIZE_CAP_BYTES - 1024
    if value is not None and len(value) > room:
        about.append(("original_size", b"%d" % len(value)))
        value = value[:room]
    return Output("dead-letters", key, value, headers=(*headers, *about))


def _original_headers(record: Record) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, content or b"") for name, content in record.headers)


def _about(record: Record, topic: str, partition: int, rejection: RejectedError, by: str) -> list[tuple[str, bytes]]:
    texts = {
        "reason": rejection.reason,
        "field": rejection.field,
        "detail": rejection.detail,
        "topic": topic,
        "partition": str(partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "by": by,
    }
    return [(name, text.encode("utf-8", "replace")) for name, text in texts.items()]

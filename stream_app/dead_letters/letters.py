"""One dead letter, taken apart: the record as it was, and what was said about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from agents.ports import Record

REPLAYED_FROM = "deskpulse-replayed-from"
"""Header of a replayed record: the dead letter it comes from, as ``topic-partition@offset``."""
REPLAYED = "deskpulse-replayed"
"""Header of a note in the dead-letter topic itself: its value lists the offsets of letters that are back in their inputs."""

BY_INTAKE = "intake"
_INTAKE = ("reason", "field", "detail", "topic", "partition", "offset", "timestamp", "by")
_SAID = (
    (*_INTAKE, "original_size"),
    _INTAKE,
    ("reason", "field", "detail", "origin", "by", "topic", "partition", "offset"),
)
"""The headers at the end of a letter, by who wrote it: a cut one of Intake's, Intake's, Cases' and Customers'."""


@dataclass(frozen=True, slots=True)
class Letter:
    """``key``, ``value`` and ``headers`` are the record's own (of Intake's letters); ``said`` is what we added.

    ``topic`` is a name on the broker in Intake's letters, and a logical one in others; ``size`` are the bytes of the value as it was.
    """

    offset: int
    written_at: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    said: Mapping[str, str]
    size: int

    @property
    def reason(self) -> str:
        return self.said.get("reason", "")

    @property
    def by(self) -> str:
        return self.said.get("by", "")

    @property
    def topic(self) -> str:
        return self.said.get("topic", "")

    @property
    def partition(self) -> int | None:
        return _number(self.said.get("partition", ""))

    @property
    def position(self) -> int | None:
        """Offset of the record in its input."""
        return _number(self.said.get("offset", ""))

    @property
    def origin(self) -> str:
        """``topic-partition@offset``; empty for what no input record led to directly."""
        return f"{self.topic}-{self.said.get('partition', '')}@{self.said.get('offset', '')}" if self.topic else ""

    @property
    def is_cut(self) -> bool:
        """Whether the original was too large for a letter, so that it is not whole here."""
        return "original_size" in self.said


def letter_of(record: Record) -> Letter:
    """The letter in a record of the dead-letter topic. One that nothing of ours wrote has nothing ``said``."""
    headers = list(record.headers)
    names = [name for name, _ in headers]
    block = next((len(block) for block in _SAID if tuple(names[-len(block) :]) == block), 0)
    own, said = headers[: len(headers) - block], headers[len(headers) - block :]
    texts = {name: (content or b"").decode("utf-8", "replace") for name, content in said}
    size = _number(texts.get("original_size", "")) or len(record.value or b"")
    return Letter(record.offset, record.timestamp, record.key, record.value, own, texts, size)


def replayed_in(record: Record) -> Collection[int] | None:
    """The offsets that a note lists; ``None`` for a letter. A note that cannot be read lists none."""
    if not any(name == REPLAYED for name, _ in record.headers):
        return None
    try:
        offsets = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return ()
    return {offset for offset in offsets if isinstance(offset, int)} if isinstance(offsets, list) else ()


def note_of(offsets: Sequence[int]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Value and headers of a note that these letters are back in their inputs."""
    return orjson.dumps(list(offsets)), [(REPLAYED, b"")]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant: every one that fits everything given."""

    reasons: Collection[str] = ()
    topic: str = ""
    since: int = 0
    offsets: Collection[int] = ()

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is meant; ``since`` is when it was written."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.topic or letter.topic == self.topic)
            and letter.written_at >= self.since
            and (not self.offsets or letter.offset in self.offsets)
        )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None

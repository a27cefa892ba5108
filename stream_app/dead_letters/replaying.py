"""Dead letters back into their inputs, each once, and only what Intake would take today.

A replayed record has the original key, bytes and headers, so it is the same event with the same id: whatever became of it before,
nothing is counted twice. After it is acknowledged a note of its offset goes into the dead-letter topic; a run that ends between the two
sends the record again, which is harmless. A replayed record that Intake refuses again is a new letter and stays one: nothing is ever
replayed by itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aiokafka import AIOKafkaProducer, TopicPartition

from agents.intake import SourceMapping
from agents.ports import Record
from stream_app.dead_letters.letters import BY_INTAKE, REPLAYED_FROM, Letter, note_of
from stream_app.dead_letters.reading import LetterBox
from stream_app.dead_letters.remedies import refusal

Edit = Callable[[bytes], Awaitable[bytes]]
"""What mends a value. Raises ``EditError``."""


class EditError(Exception):
    """The command that was to mend a value failed; the message says how."""


@dataclass(frozen=True, slots=True)
class Terms:
    """``inputs``: topics that are read, by logical name; ``mappings`` of those that have one.

    ``to``: one of the topics for all; else each letter's own. ``again``: also what was replayed before. ``anyway``: also what would
    be refused today. ``now``: when it would arrive (ms).
    """

    inputs: Mapping[str, str]
    now: int
    mappings: Mapping[str, SourceMapping] = field(default_factory=dict)
    to: str = ""
    edit: Edit | None = None
    again: bool = False
    anyway: bool = False
    dry_run: bool = False

    def mapping_of(self, topic: str) -> SourceMapping | None:
        """The mapping by which messages of a topic become events."""
        return next((self.mappings.get(name) for name, real in self.inputs.items() if real == topic), None)


@dataclass(slots=True)
class Outcome:
    """How many letters were sent (or would be), how many had been before, and ``left``: offset and reason of each that stays."""

    sent: int = 0
    before: int = 0
    left: list[tuple[int, str]] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _, reason in self.left)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record as it goes back. ``partition`` is ``None`` where the key decides."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    letter: int


class Replay:
    """One run. ``before``: offsets of letters that are back already."""

    def __init__(self, box: LetterBox, producer: AIOKafkaProducer, terms: Terms, before: Collection[int]) -> None:
        self.outcome = Outcome()
        self._box = box
        self._producer = producer
        self._terms = terms
        self._before = before

    async def send(self, letters: Sequence[Letter]) -> None:
        """Decide about these letters, send what is to be sent, and note it once it is acknowledged."""
        new = [letter for letter in letters if self._terms.again or letter.offset not in self._before]
        self.outcome.before += len(letters) - len(new)
        ready = [record for letter in new if (record := await self._prepare(letter)) is not None]
        self.outcome.sent += len(ready)
        if self._terms.dry_run or not ready:
            return
        sent = [await self._send(record) for record in ready]
        await asyncio.gather(*sent)
        value, headers = note_of([record.letter for record in ready])
        await self._producer.send_and_wait(self._box.topic, value, partition=0, headers=headers)

    async def _send(self, record: Replayed) -> asyncio.Future[object]:
        sent: asyncio.Future[object] = await self._producer.send(
            record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
        )
        return sent

    async def _prepare(self, letter: Letter) -> Replayed | None:
        """The record to send; ``None``, and the reason noted, for one that stays."""
        try:
            whole = await self._original(letter)
            topic, partition = self._where(letter)
            value = await self._mended(letter, whole.value, topic)
        except _StaysError as stays:
            self.outcome.left.append((letter.offset, str(stays)))
            return None
        kept = [(name, content) for name, content in whole.headers if name != REPLAYED_FROM]
        origin = f"{self._box.topic}-0@{letter.offset}".encode()
        return Replayed(topic, partition, whole.key, value, [*kept, (REPLAYED_FROM, origin)], letter.offset)

    async def _original(self, letter: Letter) -> Letter:
        """The letter with key, bytes and headers of the input record, which only Intake's letters hold themselves."""
        if letter.is_cut:
            raise _StaysError("not whole in the letter: it was too large")
        if letter.by == BY_INTAKE:
            return letter
        topic = self._terms.inputs.get(letter.topic)
        if topic is None or letter.partition is None or letter.position is None:
            raise _StaysError("no input record led to it directly")
        record: Record | None = await self._box.record(TopicPartition(topic, letter.partition), letter.position)
        if record is None:
            raise _StaysError("its input does not hold the record any more")
        return replace(letter, key=record.key, value=record.value, headers=[(name, content or b"") for name, content in record.headers])

    async def _mended(self, letter: Letter, value: bytes | None, topic: str) -> bytes | None:
        """The value to send. What would be refused stays, unless that is wanted."""
        if self._terms.edit is not None:
            try:
                value = await self._terms.edit(value or b"")
            except EditError as error:
                raise _StaysError(str(error)) from error
        elif letter.reason == "conflicting_duplicate" and not self._terms.anyway:
            raise _StaysError("would conflict again")
        rejection = refusal(value, self._terms.now, self._terms.mapping_of(topic))
        if rejection is not None and not self._terms.anyway:
            raise _StaysError(f"would be refused: {rejection.reason} {rejection.field}".rstrip())
        return value

    def _where(self, letter: Letter) -> tuple[str, int | None]:
        """Topic and partition: the record's own, as order within a partition is the sender's."""
        own = letter.topic if letter.by == BY_INTAKE else self._terms.inputs.get(letter.topic, "")
        topic = self._terms.to or own
        if topic not in self._terms.inputs.values():
            raise _StaysError(f"{topic} is no input any more: choose one with --to")
        fits = topic == own and letter.partition is not None and letter.partition < self._box.partitions[topic]
        return topic, letter.partition if fits else None


class _StaysError(Exception):
    """The letter is not replayed; the message is the reason."""

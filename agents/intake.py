"""Intake: input records to the canonical log, and the time. It keeps no state but its sources' progress.

It never stops for a bad message: what cannot be accepted becomes a dead letter, and does not move
its source. Every log partition gets marks that say how far each owned source has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import Final, Protocol

from agents.ports import Output, Record
from models.cases.items import RANK
from models.events.accepted import Accepted
from models.events.canonical import Event, Mark
from models.events.rejection import RejectedError
from models.progress.simulation import Simulation
from models.progress.sources import InputSource, SourceProgress, partition_of, topic_of

SIMULATED_HEADER: Final = "deskpulse-simulated"
"""A record with this header is not from a real source; the board says so while such records come."""

_CLOCK_TICK_MS: Final = 1_000
_UNEXPECTED_IN_A_ROW: Final = 100
_AT_ONCE: Final = -1
"""Event time of what has none: a dead letter, a declaration of progress (everything of its source before it is taken already)."""


SourceMapping = Callable[[bytes | None, int, str], list[Accepted]]
"""What one message in a shape of its own becomes, from its value, Kafka timestamp and origin; nothing if it is to be ignored.
Raises ``RejectedError`` and nothing else."""


_Found = tuple[int, int, int, list[Accepted] | RejectedError]
"""(event time, number of the source, index of the record, what it says)."""


_Queue = tuple[str, str, Sequence[Record]]
"""(source, its topic, what waits of it)."""


class Decode(Protocol):
    """``stream_app.wire.decoder.decode``."""

    def __call__(self, value: bytes | None, timestamp: int, origin: str) -> Accepted:
        """Raises ``RejectedError`` and nothing else."""


class DeadLetter(Protocol):
    """``stream_app.wire.dead_letters.dead_letter``."""

    def __call__(self, record: Record, topic: str, partition: int, rejection: RejectedError, by: str) -> Output: ...


@dataclass(frozen=True, slots=True)
class IntakeCodec:
    """What Intake needs of the wire."""

    decode: Decode
    encode: Callable[[Event | Mark], bytes]
    dead_letter: DeadLetter


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """``inputs`` by logical name; durations in milliseconds.

    ``allowance_ms``: how far out of order a source's events may come, and how far the local clock may
    be off. ``max_ahead_ms``: how far in event time a source may be read before the slowest.
    ``simulated``: the whole input is made up, whatever its records say.
    """

    inputs: Mapping[str, InputSource]
    log_partitions: int = 4
    allowance_ms: int = 5_000
    max_ahead_ms: int = 6 * 3_600_000
    writer: str = ""
    simulated: bool = False


@dataclass(slots=True)
class IntakeCounters:
    """Since the start of the worker. ``accepted`` counts log records, ``split`` those beyond one per input record."""

    received: int = 0
    accepted: int = 0
    split: int = 0
    progress_records: int = 0
    ignored: int = 0
    unknown_fields: int = 0
    dead_lettered: Counter[str] = field(default_factory=Counter)

    @property
    def accounted_for(self) -> int:
        """Input records accepted, ignored or dead-lettered: always equal to ``received``."""
        return self.accepted - self.split + self.progress_records + self.ignored + self.dead_lettered.total()


class IntakeProcessor:
    """The processor of one worker's share of the input partitions. ``mappings``: of the inputs that do not speak the contract."""

    name = "intake"

    def __init__(self, settings: IntakeSettings, codec: IntakeCodec, mappings: Mapping[str, SourceMapping] | None = None) -> None:
        self.settings = settings
        self.counters = IntakeCounters()
        self.topics = {name: source.partitions for name, source in settings.inputs.items()}
        self._codec = codec
        self._mappings = dict(mappings or {})
        self._sources = SourceProgress(settings.inputs, settings.allowance_ms)
        self._has_wall = any(source.progress == "wall" for source in settings.inputs.values())
        self._unexpected_in_a_row = 0
        self._simulation = Simulation()
        self._clock = 0
        self._told: tuple[object, ...] = ()
        self._told_at = 0
        self._has_sent_marks = False

    def assigned(self, sources: set[str]) -> None:
        """These sources (``contacts-3``) are owned from now on; nothing is kept of any other."""
        self._sources.assign(sources)
        self._told = ()

    def handle(self, source: str, records: Sequence[Record]) -> list[Output]:
        """Log records (topic ``events``, key ``case_id``) and dead letters of consecutive records of one source.

        What a source that is not owned still brings is written (a reader knows its events by their ids) but moves nothing.
        Raises only when ``100`` records in a row hit a defect of this program: then nothing of the
        batch may be committed.
        """
        return self.handle_together({source: records}, frozenset(), len(records))[0]

    def handle_together(
        self, waiting: Mapping[str, Sequence[Record]], more: Container[str], most: int
    ) -> tuple[list[Output], dict[str, int]]:
        """``handle`` for several sources, in the order of event time as far as each source is, and of one instant in that of a case.

        Ends after ``most`` records, or when a source of which ``more`` is to come is used up. Answers the outputs and how many
        records of each source were taken.
        """
        outputs: list[Output] = []
        taken = dict.fromkeys(waiting, 0)
        queues = [(source, topic_of(source), records) for source, records in waiting.items()]
        heap = self._heads(queues)
        left = most
        while heap and left > 0:
            instant = heap[0][0]
            moment = []
            used_up = False
            while heap and heap[0][0] == instant:
                entry = heap[0]
                moment.append(entry)
                _, number, index, _ = entry
                source, topic, records = queues[number]
                index += 1
                taken[source] = index
                if index < len(records):
                    heapreplace(heap, self._entry(source, topic, records, number, index))
                else:
                    heappop(heap)
                    used_up = used_up or source in more
            left -= len(moment)
            if len(moment) > 1:
                moment.sort(key=_rank)
            for _, number, index, found in moment:
                source, topic, records = queues[number]
                self._take(source, topic, records[index], found, outputs)
            if used_up:
                break
        return outputs, taken

    def _heads(self, queues: Sequence[_Queue]) -> list[_Found]:
        """The first record of every source that has any, as a heap."""
        heap: list[_Found] = []
        for number, (source, topic, records) in enumerate(queues):
            if records:
                self._sources.read(source)
                heap.append(self._entry(source, topic, records, number, 0))
        heapify(heap)
        return heap

    def _entry(self, source: str, topic: str, records: Sequence[Record], number: int, index: int) -> _Found:
        """A record decoded and not yet counted."""
        try:
            found = self._accept(source, topic, records[index])
        except RejectedError as rejection:
            return _AT_ONCE, number, index, rejection
        return (found[0].occurred_at if found and found[0].events else _AT_ONCE), number, index, found

    def marks(self, clock_ms: int, complete_at: Mapping[str, int], skew_ms: int | None) -> list[Output]:
        """One mark for every log partition, or none if there is nothing new and the last is under a second old.

        To be called only when every output of every earlier call, of ``handle`` or of this, is acknowledged.
        ``complete_at``: the sources read and acknowledged to their ends, each with the wall clock (ms) read
        before that was looked up. ``skew_ms``: broker time minus local time, None if no answer has told it.
        """
        clock_is_right = self._trusts_clock(skew_ms)
        self._sources.complete(complete_at, clock_is_right=clock_is_right)
        if not self._sources.owned:
            return []
        progress = self._sources.progress
        self._advance_clock(clock_ms if clock_is_right else None, progress)
        simulated = self._simulation.going_on(clock_ms) or self.settings.simulated
        told = (progress, simulated)
        ticks = self._has_wall and not 0 <= clock_ms - self._told_at < _CLOCK_TICK_MS
        if told == self._told and not ticks:
            return []
        self._told, self._told_at, self._has_sent_marks = told, clock_ms, True
        mark = Mark(progress, self.topics, self._clock, self.settings.writer, simulated=simulated)
        value = self._codec.encode(mark)
        return [Output("events", None, value, partition) for partition in range(self.settings.log_partitions)]

    def paused(self) -> set[str]:
        """Sources not to be fetched from for now: too far ahead, in event time, of the slowest one being read."""
        return self._sources.too_far_ahead(self.settings.max_ahead_ms)

    def _take(self, source: str, topic: str, record: Record, found: list[Accepted] | RejectedError, outputs: list[Output]) -> None:
        counters = self.counters
        counters.received += 1
        if not self._simulation.new and record.headers:
            self._note_simulated(topic, record)
        if isinstance(found, RejectedError):
            self._dead_letter(source, topic, record, found, outputs)
            return
        written = 0
        for message in found:
            counters.unknown_fields += message.unknown_fields
            for event in message.events:
                outputs.append(Output("events", event.case_id.encode(), self._codec.encode(event)))
                written += 1
            self._move(source, message, record.timestamp)
        counters.accepted += written
        if written > 1:
            counters.split += written - 1
        elif not written and found:
            counters.progress_records += 1
        elif not found:
            counters.ignored += 1

    def _accept(self, source: str, topic: str, record: Record) -> list[Accepted]:
        """All messages of the record, or a rejection of it as a whole."""
        origin = f"{source}@{record.offset}"
        try:
            mapping = self._mappings.get(topic)
            if mapping is None:
                messages = [self._codec.decode(record.value, record.timestamp, origin)]
            else:
                messages = mapping(record.value, record.timestamp, origin)
        except RejectedError:
            self._unexpected_in_a_row = 0
            raise
        except Exception as error:
            self._unexpected_in_a_row += 1
            if self._unexpected_in_a_row >= _UNEXPECTED_IN_A_ROW:
                raise
            raise RejectedError("internal_error", "", type(error).__name__) from error
        self._unexpected_in_a_row = 0
        return messages

    def _move(self, source: str, message: Accepted, timestamp: int) -> None:
        if message.up_to is not None:
            self._sources.declare(source, message.up_to, timestamp)
        else:
            self._sources.event(source, message.occurred_at, timestamp)

    def _dead_letter(self, source: str, topic: str, record: Record, rejection: RejectedError, outputs: list[Output]) -> None:
        self.counters.dead_lettered[rejection.reason] += 1
        name = self.settings.inputs[topic].topic or topic
        outputs.append(self._codec.dead_letter(record, name, partition_of(source), rejection, self.name))

    def _note_simulated(self, topic: str, record: Record) -> None:
        if any(name == SIMULATED_HEADER for name, _ in record.headers):
            self._simulation.seen(for_good=self.settings.inputs[topic].progress == "declared")

    def _trusts_clock(self, skew_ms: int | None) -> bool:
        """A broker tells its time with the acknowledgement of a mark. So the first mark claims nothing by an
        unchecked clock; after it, a broker that is still silent has no time to tell, and the local one counts."""
        if skew_ms is None:
            return self._has_sent_marks
        return abs(skew_ms) <= self.settings.allowance_ms

    def _advance_clock(self, wall_ms: int | None, progress: Mapping[str, int]) -> None:
        """The wall clock, if any source goes by it and it is right; else as far as any source has come."""
        if self._has_wall and wall_ms is not None:
            self._clock = wall_ms
        else:
            self._clock = max(self._clock, *progress.values(), 0)


def _rank(found: _Found) -> int:
    """The place of an event among those of its instant."""
    messages = found[3]
    if isinstance(messages, RejectedError) or not messages or not messages[0].events:
        return -1
    return RANK[messages[0].events[0].type]

"""Both logs and their changelogs in memory, as far as definitions are read from them and written into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka import TopicPartition

from models.durability.recovery import MARKER
from models.events.canonical import Definitions, Mark
from stream_app.engine.reading import Absorb, LogRange
from stream_app.wire import canonical, changelog
from stream_app.wire.keyed import CASES
from tests.support.input_records import InputRecord


class BrokerGoneError(Exception):
    """A write that did not arrive."""


@dataclass
class Logs:
    """What the partitions hold. ``gone``: how many first records retention has taken; ``writes_left``: before the writer dies."""

    records: dict[TopicPartition, list[tuple[bytes | None, bytes]]] = field(default_factory=dict)
    gone: dict[TopicPartition, int] = field(default_factory=dict)
    writes_left: int = 1_000
    before_writing: list[tuple[TopicPartition, bytes]] = field(default_factory=list)

    def of(self, partition: TopicPartition) -> list[tuple[bytes | None, bytes]]:
        return self.records.setdefault(partition, [])

    def first(self) -> dict[tuple[str, int], bytes]:
        """The first record of each partition that has any."""
        return {(topic, number): held[0][1] for (topic, number), held in self.records.items() if held}

    def versions(self) -> dict[tuple[str, int], list[Definitions]]:
        """Every definitions record of each partition, in order."""
        return {
            (topic, number): [found for found in map(canonical.decode_control, (value for _, value in held)) if isinstance(found, Definitions)]
            for (topic, number), held in self.records.items()
            if "changelog" not in topic and held
        }

    def checkpoint(self, topic: str, number: int, definitions: Definitions, offset: int) -> None:
        """A checkpoint of a partition: some rows, then a marker with these definitions."""
        held = self.of(TopicPartition(topic, number))
        held.extend((b"rsome-case", b"x" * 20) for _ in range(3))
        held.append((MARKER, _marker(definitions, offset)))


def _marker(definitions: Definitions, offset: int) -> bytes:
    from agents.cases import CasesProcessor

    state = CasesProcessor(1, CASES).new_state(0)
    state.definitions, state.offset = definitions, offset
    return changelog.encode_marker(state, offset)[1]


class FakeReader:
    """``Reader`` over the logs."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def ranges(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, LogRange]:
        return {tp: LogRange(self._logs.gone.get(tp, 0), len(self._logs.of(tp))) for tp in tps}

    async def read_to_end(
        self, tps: Iterable[TopicPartition], absorb: Mapping[TopicPartition, Absorb], begins: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        ends = {}
        for tp in tps:
            begin, held = begins[tp], self._logs.of(tp)
            assert begin >= self._logs.gone.get(tp, 0), "out of range, and there is no reset"
            absorb[tp]([InputRecord(value, offset, key=key) for offset, (key, value) in enumerate(held)][begin:])
            ends[tp] = len(held)
        return ends


class FakeProducer:
    """``AIOKafkaProducer`` into the logs. ``before_writing``: what somebody else writes in that very moment."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send_and_wait(self, topic: str, value: bytes, *, partition: int) -> None:
        while self._logs.before_writing:
            where, theirs = self._logs.before_writing.pop(0)
            self._logs.of(where).append((None, theirs))
        if self._logs.writes_left == 0:
            raise BrokerGoneError
        self._logs.writes_left -= 1
        self._logs.of(TopicPartition(topic, partition)).append((None, value))


def a_mark() -> tuple[None, bytes]:
    return None, canonical.encode(Mark({}, {}, 1))


def replaced(logs: Logs) -> dict[str, Any]:
    """What stands in place of the clients in ``stream_app.definitions.log``."""
    return {"Reader": lambda _settings: FakeReader(logs), "AIOKafkaProducer": lambda **_given: FakeProducer(logs)}

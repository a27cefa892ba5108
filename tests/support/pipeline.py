"""The whole pipeline in one process over an in-memory log: the real processors and codecs, no broker, no clock.

``Pipeline.feed`` writes input records, ``drain`` lets every processor read what is there, ``declare`` tells the time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import msgspec

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings, SourceMapping
from agents.keyed import KeyedProcessor
from agents.ports import Output
from agents.rollup import RollupProcessor
from models.durability.keyed import KeyedState
from models.events.canonical import Definitions
from models.progress.sources import InputSource, ProgressKind
from models.rollup.settings import RollupSettings
from stream_app.wire import canonical
from stream_app.wire.dead_letters import dead_letter
from stream_app.wire.decoder import decode
from stream_app.wire.keyed import CASES, CUSTOMERS
from stream_app.wire.outputs import OutputsCodec

INPUTS = ("contacts", "resolutions", "surveys")
SENT_AT = 4_000_000_000_000  # far after every event: the Kafka timestamp of a replay


@dataclass(slots=True)
class LogRecord:
    """A record in a partition."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = SENT_AT
    headers: Any = ()


@dataclass
class Topics:
    """Partitioned in-memory topics."""

    counts: Mapping[str, int]
    partitions: dict[tuple[str, int], list[LogRecord]] = field(default_factory=lambda: defaultdict(list))

    def send(self, output: Output) -> None:
        """Append, by key hash where no partition is named."""
        number = output.partition
        if number is None:
            number = crc32(output.key or b"") % self.counts.get(output.topic, 1)
        log = self.partitions[output.topic, number]
        log.append(LogRecord(len(log), output.key, output.value, headers=output.headers))

    def all(self, topic: str) -> list[LogRecord]:
        """Every record of a topic."""
        return [record for number in range(self.counts.get(topic, 1)) for record in self.partitions[topic, number]]


DEFINITIONS: dict[str, object] = {
    "horizon_s": 400 * 86_400,
    "fast_tier": False,
    "dimension_cap": 1000,
    "queued_channels": ["phone", "chat"],
    "sla": {
        "targets": {
            "first_reply": {"urgent": 900, "high": 3_600, "normal": 14_400, "low": 28_800, "default": 14_400},
            "resolution": {"urgent": 14_400, "high": 28_800, "normal": 86_400, "low": 259_200, "default": 172_800},
        },
        "pause_statuses": ["pending_customer"],
        "warn_percent": 75,
    },
}


class Pipeline:
    """Intake, Cases, Customers and Rollup over ``partitions`` log partitions; inputs are declared unless said otherwise."""

    def __init__(
        self,
        partitions: int = 2,
        definitions: dict[str, object] | None = None,
        zone: str = "UTC",
        *,
        rollup: bool = True,
        progress: ProgressKind = "declared",
        mappings: Mapping[str, SourceMapping] | None = None,
    ) -> None:
        self.partitions = partitions
        names = dict.fromkeys((*INPUTS, "events", "customer-log", "case-events", "sla-events", "cases"), partitions)
        self.topics = Topics(names)
        self.intake = IntakeProcessor(
            IntakeSettings({name: InputSource(partitions, progress) for name in INPUTS}, partitions),
            IntakeCodec(decode, canonical.encode, dead_letter),
            mappings,
        )
        self.intake.assigned({f"{name}-{number}" for name in INPUTS for number in range(partitions)})
        self.processors: tuple[KeyedProcessor, ...] = (CasesProcessor(partitions, CASES), CustomersProcessor(partitions, CUSTOMERS))
        self.states: dict[tuple[str, int], KeyedState[Any]] = {}
        body = dict(DEFINITIONS if definitions is None else definitions)
        body["zone"] = zone
        value = canonical.encode(Definitions(1, body))
        for processor in self.processors:
            for number in range(partitions):
                self.topics.send(Output(processor.log, None, value, number))
                self.states[processor.name, number] = processor.new_state(number)
        self.rollup = RollupProcessor(RollupSettings(partitions=partitions, zone=zone, span=True, horizon=400 * 86_400_000), OutputsCodec())
        self.rollup.assigned()
        self.rollup.start_publishing()
        self._roll = rollup
        self._read: dict[tuple[str, int], int] = defaultdict(int)
        self.clock = 0

    # -- input ----------------------------------------------------------------------------------------

    def feed(self, topic: str, event: Mapping[str, object] | bytes, partition: int | None = None) -> None:
        """Write one input record."""
        value = event if isinstance(event, bytes) else msgspec.json.encode(event)
        key = str(event.get("case_id") or event.get("contact_id") or event.get("survey_id") or "").encode() if isinstance(event, Mapping) else b""
        self.topics.send(Output(topic, key, value, partition))

    def declare(self, up_to: int, inputs: Iterable[str] = INPUTS) -> None:
        """The senders' word that nothing older will come."""
        for name in inputs:
            for number in range(self.partitions):
                self.feed(name, {"type": "source.progress", "up_to": up_to, "occurred_at": up_to}, number)

    # -- running --------------------------------------------------------------------------------------

    def _unread(self, topic: str, number: int, most: int = 1 << 60) -> list[LogRecord]:
        log = self.topics.partitions[topic, number]
        begin = self._read[topic, number]
        records = log[begin : begin + most]
        self._read[topic, number] = begin + len(records)
        return records

    def _send(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self.topics.send(output)

    def read(self, source: str, most: int = 1 << 60) -> int:
        """Intake reads up to so many records of one source; returns how many there were."""
        name, _, number = source.rpartition("-")
        records = self._unread(name, int(number), most)
        self._send(self.intake.handle(source, records))
        return len(records)

    def tell_time(self, complete_at: Mapping[str, int] | None = None) -> None:
        """Intake writes its marks; ``complete_at``: sources read to their ends, with the wall clock then."""
        self.clock += 1_000
        self._send(self.intake.marks(self.clock, complete_at or {}, 0))

    def drain(self, only: Iterable[str] = INPUTS) -> None:
        """Everything reads what is there, in the order of the pipeline."""
        for name in only:
            for number in range(self.partitions):
                self.read(f"{name}-{number}")
        self.tell_time()
        self.process()

    def process(self) -> None:
        """Everything after Intake reads what is there."""
        for processor in self.processors:
            for number in range(self.partitions):
                state = self.states[processor.name, number]
                self._send(processor.handle(state, self._unread(processor.log, number)))
                self._send(processor.publish(state))
        if self._roll:
            self.rollup.read_panes(self._unread("panes", 0))
            self.publish()

    def publish(self) -> None:
        """Rollup publishes until it has nothing more to say."""
        for _ in range(100_000):
            outputs = self.rollup.publish(0)
            self._send(outputs)
            if not outputs:
                return

    # -- what came out ----------------------------------------------------------------------------------

    def newest(self, topic: str) -> dict[bytes, dict[str, Any]]:
        """The last value of each key of a compacted topic."""
        newest: dict[bytes, dict[str, Any]] = {}
        for record in self.topics.all(topic):
            if record.key is None:
                continue
            if record.value is None:
                newest.pop(record.key, None)
            else:
                newest[record.key] = msgspec.json.decode(record.value)
        return newest

    def facts(self) -> dict[tuple[str, int, tuple[str, ...]], dict[str, int]]:
        """Slow panes of all partitions merged: (processor, slice start, cell) -> facts."""
        merged: dict[tuple[str, int, tuple[str, ...]], dict[str, int]] = {}
        for (name, _), state in self.states.items():
            for start, cells in state.panes.slow.items():
                for cell, pane in cells.items():
                    into = merged.setdefault((name, start, cell), {})
                    for key, weight in pane.facts.items():
                        into[key] = into.get(key, 0) + weight
        return {where: facts for where, facts in merged.items() if any(facts.values())}

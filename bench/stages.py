"""``python -m bench.stages FILE``: CPU microseconds per event of each stage, in memory, one process, no broker.

The real processors and codecs over a file of simulated events, with the engine's rhythm: partitions are read in
slices of a fetch, panes are published and checkpoints cut as often as a worker at ``PACE`` events/s would. What is missing
is the engine itself: sockets, fetching, batches, awaits. To find and weigh a hot spot; the figures that count are ``python -m bench``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from time import thread_time
from typing import Any

import orjson

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings
from agents.keyed import KeyedProcessor
from agents.ports import Output
from agents.rollup import RollupProcessor
from models.events.canonical import Definitions
from models.progress.sources import InputSource
from models.rollup.settings import RollupSettings
from stream_app.engine import garbage
from stream_app.engine.partitioner import partition_of as log_partition_of
from stream_app.feeds.event_file import EventFileFeed
from stream_app.feeds.sender import partition_of
from stream_app.settings import Settings
from stream_app.wire import canonical
from stream_app.wire.dead_letters import dead_letter
from stream_app.wire.decoder import decode
from stream_app.wire.keyed import CASES, CUSTOMERS
from stream_app.wire.outputs import OutputsCodec

PARTITIONS = 4
INPUTS = ("contacts", "resolutions", "surveys")
PACE = 20_000
FETCH = 2_000
PUBLISH_EVERY = 2 * PACE
"""Events between two publications; every second one is a checkpoint. In a backlog they come up to five seconds apart."""
DECLARE_EVERY = 5_000
NOW = 4_000_000_000_000


class LogRecord:
    __slots__ = ("headers", "key", "offset", "timestamp", "value")

    def __init__(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        self.offset, self.key, self.value, self.timestamp, self.headers = offset, key, value, NOW, ()


def inputs(file: Path) -> dict[tuple[str, int], list[LogRecord]]:
    """The input topics as a replay fills them."""
    logs: dict[tuple[str, int], list[LogRecord]] = {(name, number): [] for name in INPUTS for number in range(PARTITIONS)}

    def append(log: list[LogRecord], key: bytes | None, value: bytes) -> None:
        log.append(LogRecord(len(log), key, value))

    newest = count = 0
    for event in EventFileFeed(file).events():
        if event.event["type"] == "source.progress":
            continue
        newest = max(newest, event.occurred_at)
        append(logs[event.topic, partition_of(event.key, PARTITIONS)], event.key, orjson.dumps(event.event))
        count += 1
        if count % DECLARE_EVERY == 0:
            for log in logs.values():
                append(log, None, orjson.dumps({"type": "source.progress", "occurred_at": newest - 1, "up_to": newest - 1}))
    for log in logs.values():
        append(log, None, orjson.dumps({"type": "source.progress", "occurred_at": newest, "up_to": newest}))
    return logs


class Stages:
    """Processors, the records between them, and the time each stage took."""

    def __init__(self) -> None:
        settings = Settings()
        self.seconds: dict[str, float] = defaultdict(float)
        self.records: dict[str, int] = defaultdict(int)
        self.bytes: dict[str, int] = defaultdict(int)
        self.intake = IntakeProcessor(
            IntakeSettings({name: InputSource(PARTITIONS, "declared") for name in INPUTS}, PARTITIONS),
            IntakeCodec(decode, canonical.encode, dead_letter),
        )
        self.intake.assigned({f"{name}-{number}" for name in INPUTS for number in range(PARTITIONS)})
        self.processors: tuple[KeyedProcessor, ...] = (CasesProcessor(PARTITIONS, CASES), CustomersProcessor(PARTITIONS, CUSTOMERS))
        self.states: dict[tuple[str, int], Any] = {(p.name, n): p.new_state(n) for p in self.processors for n in range(PARTITIONS)}
        self.rollup = RollupProcessor(RollupSettings(partitions=PARTITIONS), OutputsCodec())
        self.rollup.assigned()
        self.rollup.start_publishing()
        self.waiting: dict[tuple[str, int], list[LogRecord]] = defaultdict(list)
        self.offsets: dict[tuple[str, int], int] = defaultdict(int)
        value = canonical.encode(Definitions(1, settings.definitions()))
        for processor in self.processors:
            self.send([Output(processor.log, None, value, number) for number in range(PARTITIONS)])

    def timed(self, stage: str, work: Callable[..., Any], *arguments: Any) -> Any:
        began = thread_time()
        result = work(*arguments)
        self.seconds[stage] += thread_time() - began
        return result

    def send(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self.records[output.topic] += 1
            self.bytes[output.topic] += len(output.value or b"")
            if output.topic not in {"events", "customer-log", "panes"}:
                continue
            partition = output.partition if output.partition is not None else log_partition_of(output.key or b"", PARTITIONS)
            place = output.topic, partition
            self.waiting[place].append(LogRecord(self.offsets[place], output.key, output.value))
            self.offsets[place] += 1

    def take(self, topic: str, number: int) -> list[LogRecord]:
        return self.waiting.pop((topic, number), [])

    def mark(self) -> None:
        self.send(self.timed("intake", self.intake.marks, NOW, {}, 0))

    def turn(self) -> None:
        """Everything that waits for Cases and Customers."""
        for processor in self.processors:
            for number in range(PARTITIONS):
                records = self.take(processor.log, number)
                state = self.states[processor.name, number]
                self.send(self.timed(f"{processor.name} handle", processor.handle, state, records))

    def publish(self, *, checkpoint: bool) -> None:
        for processor in self.processors:
            for number in range(PARTITIONS):
                state = self.states[processor.name, number]
                self.send(self.timed(f"{processor.name} publish", processor.publish, state))
                if checkpoint:
                    cut = self.timed(f"{processor.name} checkpoint", processor.checkpoint, state)
                    for part in ("panes", "rows"):
                        self.records[f"{processor.changelog} {part}"] += len(getattr(cut, part))
                        self.bytes[f"{processor.changelog} {part}"] += sum(len(value or b"") for _, value in getattr(cut, part))
        self.timed("rollup read", self.rollup.read_panes, self.take("panes", 0))
        self.send(self.timed("rollup publish", self.rollup.publish, 0))


def run(file: Path, publish_every: int = PUBLISH_EVERY) -> Stages:
    garbage.switch_off()
    logs = inputs(file)
    stages = Stages()
    handled = published = cycles = 0
    sources = {f"{name}-{number}": log for (name, number), log in logs.items()}
    at = dict.fromkeys(sources, 0)
    while any(at[source] < len(log) for source, log in sources.items()):
        parts = {source: log[at[source] : at[source] + FETCH] for source, log in sources.items() if at[source] < len(log)}
        more = {source for source in parts if at[source] + FETCH < len(sources[source])}
        outputs, taken = stages.timed("intake", stages.intake.handle_together, parts, more, FETCH)
        stages.send(outputs)
        for source, count in taken.items():
            at[source] += count
            handled += count
        if handled - published >= publish_every:
            published = handled
            stages.mark()
            stages.turn()
            cycles += 1
            stages.publish(checkpoint=cycles % 2 == 0)
    stages.mark()
    stages.turn()
    stages.turn()
    stages.publish(checkpoint=True)
    return stages


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__)
    parser.add_argument("file", type=Path, help="made with `deskpulse simulate --events N --out FILE`")
    parser.add_argument("--publish-every", type=int, default=PUBLISH_EVERY, metavar="EVENTS", help=f"default {PUBLISH_EVERY:,}")
    parser.add_argument("--profile", action="store_true", help="cProfile's table too")
    given = parser.parse_args()
    if given.profile:
        import cProfile

        profiler = cProfile.Profile()
        stages = profiler.runcall(run, given.file, given.publish_every)
        profiler.print_stats("tottime")
    else:
        stages = run(given.file, given.publish_every)
    events = stages.records["events"]
    for name, seconds in sorted(stages.seconds.items(), key=lambda entry: -entry[1]):
        print(f"{name:22} {seconds * 1e6 / events:7.2f} us per event")
    print(f"{'sum':22} {sum(stages.seconds.values()) * 1e6 / events:7.2f} us per event\n")
    for name, count in sorted(stages.records.items()):
        print(f"{name:26} {count / events:7.3f} records, {stages.bytes[name] / events:7.1f} bytes per event")


if __name__ == "__main__":
    main()

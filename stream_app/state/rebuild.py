"""State made again from the log, in a new epoch.

The record ``begin`` makes void what the changelog held; until the marker follows, workers quarantine the partition, so an
interrupted rebuild is seen, and run again. It ends where the workers had come: what they sent is not sent again, and the
next one sends the rest.

    log        0 ──────────────────────── processed ───────── end
               └─ re-run, nothing sent ──┘└─ the next worker ─┘
    changelog  … │ begin │ panes, rows … │ panes published │ panes, rows │ marker │
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka.structs import TopicPartition

from agents.ports import Checkpoint
from models.durability.fence import pack
from models.durability.keyed import KeyedState
from models.durability.pane import FAST, Pane, PaneId
from models.durability.recovery import BEGIN, seal
from models.events.canonical import Definitions
from stream_app.engine.producer import start_producer
from stream_app.engine.reading import LogRange, Reader
from stream_app.engine.settings import EngineSettings
from stream_app.state.former import Former
from stream_app.state.held import held_by_logs
from stream_app.state.parts import Part, StateError
from stream_app.state.published import Published
from stream_app.state.rerun import Advance, rerun
from stream_app.state.writing import Writer

CHECKPOINT_RECORDS = 200_000
"""So much of the log is processed between two writes: what is not yet written stays small."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done for one part: the log from ``held.begin`` to ``until``, in ``epoch``."""

    part: Part
    held: LogRange
    until: int
    epoch: int
    definitions: Definitions
    rows: set[str]
    panes: set[PaneId]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of one part; a worker goes on at ``offset``."""

    name: str
    epoch: int
    offset: int
    rows: int
    panes: int


class Rebuilding:
    """Looks at everything first (``prepare``), then writes (``run``). No worker may be alive."""

    def __init__(self, settings: EngineSettings, parts: list[Part], definitions: Definitions, *, from_what_is_left: bool) -> None:
        self._settings = settings
        self._parts = parts
        self._definitions = definitions
        self._from_what_is_left = from_what_is_left
        self._plans: list[Plan] = []

    async def prepare(self) -> int:
        """How many records are to be read; nothing is written yet. Raises ``StateError`` where a log does not hold what is needed."""
        async with Reader(self._settings) as reader:
            published = Published()
            panes = TopicPartition(self._settings.topic(self._settings.panes), 0)
            await reader.read_to_end([panes], {panes: published.absorb})
            held = await held_by_logs(self._settings, reader, self._parts)
            self._plans = [await self._plan(part, held[part], published, reader) for part in self._parts]
        return sum(plan.until - plan.held.begin for plan in self._plans)

    async def run(self, advance: Advance) -> list[Rebuilt]:
        """Part after part, each whole. Raises ``StateError`` and Kafka's errors; then run it again."""
        producer = await start_producer(self._settings)
        try:
            return [await self._rebuild(plan, Writer(self._settings, producer), advance) for plan in self._plans]
        finally:
            await producer.stop()

    async def _plan(self, part: Part, held: LogRange, published: Published, reader: Reader) -> Plan:
        former = await self._former(part, reader)
        outside = published.partitions[part.processor.name, part.partition]
        positions = [outside.status] + ([(former.marker.epoch, former.marker.offset - 1)] if former.marker else [])
        until = max(positions)[1] + 1
        if held.begin > 0 or until > held.end:
            self._must_be_asked_for(part, held, until)
            until = max(until, held.begin) if until <= held.end else held.begin
        epochs = [former.epoch, outside.status[0], *(fence[0] for fence, _ in outside.panes.values())]
        definitions = former.marker.definitions if former.marker and former.marker.definitions.version else self._definitions
        return Plan(part, held, until, max(epochs) + 1, definitions, former.rows, former.panes | outside.panes.keys())

    async def _former(self, part: Part, reader: Reader) -> Former:
        former = Former()
        changelog = TopicPartition(self._settings.topic(part.processor.changelog), part.partition)
        await reader.read_to_end([changelog], {changelog: former.read_changelog})
        if part.processor.name == "cases":
            cases = TopicPartition(self._settings.topic("cases"), part.partition)
            await reader.read_to_end([cases], {cases: former.read_cases})
        return former

    def _must_be_asked_for(self, part: Part, held: LogRange, until: int) -> None:
        if self._from_what_is_left:
            return
        if until > held.end:
            why = f"its log ends at {held.end}, but workers had come to {until}: the topic was made anew or has lost its end"
        else:
            why = (
                f"its log begins at {held.begin}, older records have left it by retention: what is older, such as the opening of a case "
                "that is still open, would be missing from the state and from the backlog"
            )
        raise StateError(f"{part.name}: {why}. Nothing was changed. `--from-what-is-left` does it all the same")

    async def _rebuild(self, plan: Plan, writer: Writer, advance: Advance) -> Rebuilt:
        part = plan.part
        processor, number = part.processor, part.partition
        await writer.changelog(processor.changelog, number, [(BEGIN, seal(pack(plan.epoch, 0), b""))])
        async with rerun(self._settings, part, plan.held, plan.definitions, advance, plan.epoch) as run:
            state = run.state
            while state.offset < plan.until:
                await run.until(min(plan.until, state.offset + CHECKPOINT_RECORDS))
                await _write(writer, part, processor.checkpoint(state))
            end_what_is_no_more(state, plan.rows, plan.panes)
            outputs = processor.publish(state)
            last = processor.checkpoint(state)
        await writer.send(outputs)
        await _write(writer, part, last)
        await writer.changelog(processor.changelog, number, [last.marker])
        return Rebuilt(part.name, plan.epoch, state.offset, len(state.rows), len(_pane_ids(state)))


async def _write(writer: Writer, part: Part, checkpoint: Checkpoint) -> None:
    """A checkpoint without its marker: the state counts only when it is whole."""
    for entries in (checkpoint.panes, checkpoint.rows):
        await writer.changelog(part.processor.changelog, part.partition, entries)


def end_what_is_no_more(state: KeyedState[Any], rows: Iterable[str], panes: Iterable[PaneId]) -> None:
    """Rows and panes that topics hold from before and the state does not: deleted, or empty where the slice still is.

    They become part of the state, so its owner says so again and sends their tombstones, as for any other deletion.
    """
    now = pack(state.epoch, max(state.offset - 1, 0))
    gone = [key for key in rows if key not in state.rows]
    state.graves.update(dict.fromkeys(gone, now))
    state.unwritten.update(dict.fromkeys(gone))
    state.logic.rewritten(gone)
    empty = [Pane(identity) for identity in set(panes) - _pane_ids(state)]
    for pane in empty:
        pane.fence = now
    state.panes.restore(empty, (state.panes.fast_limit, state.panes.slow_limit), now)
    state.panes.unwritten.update((pane, None) for pane in empty if pane.id[0] != FAST)


def _pane_ids(state: KeyedState[Any]) -> set[PaneId]:
    panes = state.panes
    live = {pane.id for tier in (panes.fast, panes.slow) for cells in tier.values() for pane in cells.values()}
    return live | {pane.id for pane in panes.base.values()}

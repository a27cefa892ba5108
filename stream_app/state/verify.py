"""Published panes against panes made again from the log.

Workers may go on meanwhile. A status speaks of every pane up to its fence, so all panes are compared as of it; one that was published
after it is compared as of its own fence:

    panes topic   pane A 17 ─ pane B 21 ─ status 21 ─ pane A 24          (no status yet)
    re-run        ……………………………………………………… 21: everything but A … 24: A
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka.structs import TopicPartition

from models.durability.keyed import KeyedState
from models.durability.pane import FAST, PaneId
from models.events.canonical import Definitions
from stream_app.engine.reading import LogRange, Reader
from stream_app.engine.settings import EngineSettings
from stream_app.state.held import held_by_logs
from stream_app.state.parts import Part, StateError
from stream_app.state.published import Published, PublishedPartition
from stream_app.state.rerun import Advance, Rerun, rerun


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slices that start at or after ``begin`` and before ``end`` (epoch ms)."""

    begin: int = -(2**62)
    end: int = 2**62

    def holds(self, pane: PaneId) -> bool:
        return self.begin <= pane[1] < self.end


class Difference(NamedTuple):
    """One entry of one pane; 0 where there is none."""

    part: str
    pane: PaneId
    key: str
    recomputed: int
    published: int


@dataclass(slots=True)
class Findings:
    """``panes`` compared; ``begins``: parts whose log begins later than its first record, with the offset."""

    panes: int = 0
    differences: list[Difference] = field(default_factory=list)
    unreadable: int = 0
    begins: dict[str, int] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        return not self.differences and not self.unreadable


class Verification:
    """Reads what was published first (``prepare``), then runs over the logs (``run``)."""

    def __init__(self, settings: EngineSettings, parts: list[Part], stretch: Stretch, definitions: Definitions) -> None:
        self._settings = settings
        self._parts = parts
        self._stretch = stretch
        self._definitions = definitions
        self._published = Published()
        self._held: dict[Part, LogRange] = {}
        self.findings = Findings()

    async def prepare(self) -> int:
        """How many records of the logs are to be read. Raises ``StateError`` where a log ends before what was published."""
        async with Reader(self._settings) as reader:
            panes = TopicPartition(self._settings.topic(self._settings.panes), 0)
            await reader.read_to_end([panes], {panes: self._published.absorb})
            self._held = await held_by_logs(self._settings, reader, self._parts)
        self.findings.unreadable = self._published.unreadable
        for part, held in self._held.items():
            if held.begin > 0:
                self.findings.begins[part.name] = held.begin
            if (reaches := self._last(part)) > held.end:
                raise StateError(f"{part.name}: offset {reaches - 1} was published, but its log ends at {held.end}: it was made anew")
        return sum(max(0, self._last(part) - held.begin) for part, held in self._held.items())

    async def run(self, advance: Advance) -> Findings:
        """Compare part after part."""
        for part in self._parts:
            async with rerun(self._settings, part, self._held[part], self._definitions, advance) as run:
                await self._compare(part, run)
        return self.findings

    def _of(self, part: Part) -> PublishedPartition:
        return self._published.partitions[part.processor.name, part.partition]

    def _last(self, part: Part) -> int:
        """The offset behind the last record that any comparison needs."""
        published = self._of(part)
        return max([published.processed, *(offset + 1 for offset in _later(published))])

    async def _compare(self, part: Part, run: Rerun) -> None:
        published = self._of(part)
        later = _later(published)
        after_status = {pane for panes in later.values() for pane in panes}
        await run.until(published.processed)
        for pane in (published.panes.keys() | set(_live(run.state))) - after_status:
            self._compare_pane(part, pane, run.state)
        for offset in sorted(later):
            await run.until(offset + 1)
            for pane in later[offset]:
                self._compare_pane(part, pane, run.state)

    def _compare_pane(self, part: Part, pane: PaneId, state: KeyedState[Any]) -> None:
        if not self._stretch.holds(pane):
            return
        self.findings.panes += 1
        recomputed = _facts(state, pane)
        published = self._published.facts(self._of(part).panes.get(pane, ((0, 0), None))[1])
        if recomputed != published:
            self.findings.differences += [
                Difference(part.name, pane, key, recomputed.get(key, 0), published.get(key, 0))
                for key in sorted(recomputed.keys() | published.keys())
                if recomputed.get(key) != published.get(key)
            ]


def _later(published: PublishedPartition) -> dict[int, list[PaneId]]:
    """Panes that were published after the newest status, by the offset of their fence."""
    later: dict[int, list[PaneId]] = {}
    for pane, (fence, _) in published.panes.items():
        if fence > published.status:
            later.setdefault(fence[1], []).append(pane)
    return later


def _live(state: KeyedState[Any]) -> Iterator[PaneId]:
    for tier in (state.panes.fast, state.panes.slow):
        for cells in tier.values():
            for pane in cells.values():
                yield pane.id


def _facts(state: KeyedState[Any], pane: PaneId) -> dict[str, int]:
    tier, start, cell = pane
    found = (state.panes.fast if tier == FAST else state.panes.slow).get(start, {}).get(cell)
    return {} if found is None or found.deleted else found.facts

"""Cases and Customers as the engine sees them: log records in, outputs and checkpoints out.

A thin shell around ``models.durability.keyed``; the two differ in their logic, their codec and what they add
to the panes topic (``publish_levels``, ``publish_rows``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agents.keyed_codec import KeyedCodec
from agents.ports import Checkpoint, Output, Record
from models.durability.fence import NO_FENCE, Fence, pack, unpack
from models.durability.keyed import KeyedState, Logic, Message
from models.durability.marker import Marker
from models.durability.pane import BASE, FAST
from models.durability.panes import PaneStore
from models.durability.recovery import Merge
from models.durability.rows import RowStore
from models.events.canonical import Mark
from models.panes.dimensions import Dimensions
from models.panes.facts import entries
from models.panes.tiers import MINUTE, SECOND
from models.progress.watermark import NEVER

logger = logging.getLogger(__name__)

CATCHING_UP: Final = MINUTE
"""Event time (ms) between two publications that only a backlog or a replay makes."""
WITHHELD: Final = 2 * SECOND
"""Event time (ms) that slow panes may wait for a checkpoint."""

MakeLogic = Callable[[PaneStore, Dimensions], Logic[Any]]


class UnreadableLogError(Exception):
    """A record of a log of ours that no version of ours wrote: stop; nothing may be left out of the order."""


@dataclass(frozen=True, slots=True)
class KeyedSettings:
    """``name`` of the processor, its log and changelog (logical topics), partitions of the log, and of the log its marks go to."""

    name: str
    log: str
    changelog: str
    partitions: int
    marks_to: str = ""


class KeyedProcessor:
    """``StatefulProcessor`` over a keyed machine."""

    def __init__(self, settings: KeyedSettings, make_logic: MakeLogic, codec: KeyedCodec) -> None:
        self.name = settings.name
        self.log = settings.log
        self.changelog = settings.changelog
        self._settings = settings
        self._make_logic = make_logic
        self._codec = codec

    def new_state(self, partition: int) -> KeyedState[Any]:
        """An empty state."""
        panes, dimensions, codec = PaneStore(), Dimensions(), self._codec
        rows: RowStore[Any] = RowStore(codec.row, lambda key, value: codec.restore_row(codec.row_key(key), value))
        return KeyedState(partition, self._make_logic(panes, dimensions), panes, dimensions, rows)

    def recover(self, partition: int) -> Recovery:
        """Begin to read the changelog of a partition."""
        return Recovery(self, partition, self._codec)

    # -- records ----------------------------------------------------------------------------------------

    def handle(self, state: KeyedState[Any], records: Sequence[Record]) -> list[Output]:
        """Apply records in order. Raises ``UnreadableLogError``."""
        outputs: list[Output] = []
        codec, read = self._codec, self._codec.record
        for record in records:
            offset, key, value = record.offset, record.key, record.value
            if offset < state.offset:
                continue
            if key is None:
                messages = self._control(state, value, offset)
            else:
                messages = state.apply(key.decode(), self._read(read, value, offset), offset)
            if messages:
                outputs += [codec.output(message) for message in messages]
        return outputs

    def _read(self, read: Callable[[bytes], Any], value: bytes | None, offset: int) -> Any:
        try:
            return read(value or b"")
        except ValueError as error:
            message = f"record {offset} of the log {self.log} cannot be read ({type(error).__name__})"
            raise UnreadableLogError(message) from error

    def _control(self, state: KeyedState[Any], value: bytes | None, offset: int) -> list[Message]:
        control = self._read(self._codec.control, value, offset)
        if isinstance(control, Mark):
            return state.mark(control, offset)
        before = state.definitions.version
        state.define(control, offset)
        if state.definitions.version > before:
            logger.info("%s %d: definitions %d hold from offset %d on", self.log, state.partition, state.definitions.version, offset)
        return []

    # -- the panes topic ----------------------------------------------------------------------------------

    def catching_up(self, state: KeyedState[Any]) -> bool:
        """Whether the watermark has moved by more than a minute since the last publication."""
        return state.published is not None and state.progress.watermark - state.published[1] > CATCHING_UP

    def publish(self, state: KeyedState[Any], *, whole: bool = True) -> list[Output]:
        """Changed panes and rows, then levels, status and this partition's own mark for the next log.

        Not ``whole``: without the slow panes, which grow with every hour's facts while nobody needs them within the second, and so
        without the status, which says that all panes are there.
        """
        state.conclude()
        whole = whole or self._cannot_wait(state)
        outputs = self._panes(state, whole=whole)
        outputs += self.publish_rows(state)
        progress = state.progress
        now, before = (state.offset, progress.watermark, progress.clock), state.published
        if before != now:
            state.published = now
            outputs += self.publish_levels(state)
        if whole and state.stated != now:
            state.stated = now
            outputs.append(self._codec.status(self.name, state.partition, self._status(state)))
        if self._settings.marks_to and (before[1] if before is not None else NEVER) < progress.watermark:
            outputs += self._marks(state)
        return outputs

    def _cannot_wait(self, state: KeyedState[Any]) -> bool:
        """Whether slow panes have waited for long enough, or belong together with what levels say of the base."""
        return state.stated is None or state.panes.rebased or state.progress.clock - state.stated[2] > WITHHELD

    def _panes(self, state: KeyedState[Any], *, whole: bool) -> list[Output]:
        codec, panes = self._codec, state.panes
        changed = panes.take_unpublished() if whole else panes.take_unpublished_fast()
        outputs = [codec.published_pane(self.name, state.partition, pane) for pane in changed]
        if whole:
            outputs += [codec.forgotten_pane(self.name, state.partition, pane) for pane in panes.take_forgotten()]
        return outputs

    def restore_row(self, state: KeyedState[Any], key: str, row: Any) -> None:
        """Make again what is derived from a row; Customers has nothing."""

    def publish_rows(self, state: KeyedState[Any]) -> Iterable[Output]:
        """Records of compacted topics about single rows; Customers has none."""
        del state
        return ()

    def publish_levels(self, state: KeyedState[Any]) -> Iterable[Output]:
        """The partition's level record; Customers has none."""
        del state
        return ()

    def _status(self, state: KeyedState[Any]) -> dict[str, Any]:
        progress = state.progress
        return {
            "fence": unpack(fence_before(state)),
            "watermark": instant(progress.watermark),
            "clock": instant(progress.clock) or 0,
            "partitions": self._settings.partitions,
            "sources": {source: instant(at) for source, at in progress.sources.items()},
            "counters": {**state.counters, "beyond_horizon": state.panes.beyond_horizon},
            "definitions": state.definitions.version,
            "simulated": progress.simulated,
        }

    def _marks(self, state: KeyedState[Any]) -> list[Output]:
        progress, name = state.progress, self.name
        mark = Mark(
            sources={f"{name}-{state.partition}": progress.watermark},
            topics={name: self._settings.partitions},
            clock=progress.clock,
            simulated=progress.simulated,
        )
        return [self._codec.output(Message(self._settings.marks_to, "", mark, number)) for number in range(self._settings.partitions)]

    # -- checkpoint ---------------------------------------------------------------------------------------

    def checkpoint(self, state: KeyedState[Any], turns: int = 1) -> Checkpoint:
        """Everything changed since the last one. Call ``publish`` right before, in the same synchronous step.

        ``turns``: how many checkpoint intervals have passed since then; what has to be written again in time goes by them.
        """
        codec = self._codec
        checkpoint = Checkpoint(state.offset)
        panes_over, rows_over = state.rewrite(turns)
        checkpoint.panes = [codec.pane(pane) for pane in state.panes.take_unwritten(state.turn)]
        checkpoint.rows = self._row_entries(state, {key for key, _ in rows_over})
        checkpoint.rows += [(codec.pane(pane)[0], None) for pane in panes_over]
        checkpoint.rows += [(codec.row_key(key), None) for key, _ in rows_over if key not in state.rows]
        state.forgotten += [key for key, _ in rows_over]
        state.forget_graves()
        checkpoint.marker = codec.marker(state, pack(state.epoch, max(state.offset, 0)))
        return checkpoint

    def _row_entries(self, state: KeyedState[Any], ending: set[str]) -> list[tuple[bytes, bytes | None]]:
        """Changed rows and deletions; ``ending`` ones get their tombstone."""
        row_key, rows = self._codec.row_key, state.rows
        live, entries = [], []
        for key in state.take_unwritten():
            if key in rows:
                state.burials.exhume(key)
                live.append(key)
                continue
            fence = state.graves[key]
            if key not in ending:
                state.burials.bury(key, fence, state.turn)
            entries.append((row_key(key), self._codec.deleted_row(fence)))
        written: list[tuple[bytes, bytes | None]] = [(row_key(key), value) for key, value in rows.write(live, state.turn)]
        rows.cool(state.turn)
        return written + entries


class Recovery:
    """State of a partition while its changelog is read."""

    def __init__(self, processor: KeyedProcessor, partition: int, codec: KeyedCodec) -> None:
        self._processor = processor
        self._partition = partition
        self._codec = codec
        self._merge = Merge()
        self._limits = NEVER, NEVER

    def absorb(self, key: bytes, value: bytes | None) -> None:
        """Merge one changelog record."""
        self._merge.absorb(key, value)

    def complete(self) -> KeyedState[Any]:
        """The state as of the greatest marker, rows and panes possibly ahead of it. Raises ``CorruptChangelogError``."""
        self._merge.check()
        state = self._processor.new_state(self._partition)
        if self._merge.marker is None:
            state.offset = -1
        else:
            marker = self._codec.restore_marker(self._merge.marker)
            _restore_time(state, marker)
            self._limits = marker.limits
        self._restore_panes(state)
        self._restore_rows(state)
        return state

    def _restore_panes(self, state: KeyedState[Any]) -> None:
        panes = [self._codec.restore_pane(key, value) for key, value in self._merge.panes.items()]
        state.panes.restore([pane for pane in panes if pane.id[0] != FAST], self._limits, fence_before(state))

    def _restore_rows(self, state: KeyedState[Any]) -> None:
        codec, clock, before = self._codec, state.progress.clock, fence_before(state)
        for changelog_key, value in self._merge.rows.items():
            key = codec.key_of_row(changelog_key)
            if codec.is_deleted(value):
                state.graves[key] = fence = codec.fence_of(value)
                state.burials.bury(key, fence, 0)
                continue
            row = codec.restore_row(changelog_key, value)
            state.rows.keep_cold(key, value)
            state.arm(row.wake_at, key)
            state.panes.restore_fast(entries(row.facts), clock, before)
            self._processor.restore_row(state, key, row)


def _restore_time(state: KeyedState[Any], marker: Marker) -> None:
    state.epoch, state.offset = marker.epoch, marker.offset
    state.counters = marker.counters
    state.progress.restore(marker.sources, marker.topics, marker.clock, marker.watermark, simulated=marker.simulated)
    state.panes.beyond_horizon = marker.beyond_horizon
    if marker.definitions.version:
        state.adopt(marker.definitions)
    state.dimensions.restore(marker.seen)


def fence_before(state: KeyedState[Any]) -> Fence:
    """The fence of the last record processed."""
    return pack(state.epoch, state.offset - 1) if state.offset > 0 else NO_FENCE


def instant(at: int) -> int | None:
    """An instant for the outside: minus infinity is unknown."""
    return None if at <= NEVER else at


def base_of(panes: PaneStore) -> list[tuple[tuple[str, str, str, str], dict[str, int]]]:
    """The balances behind the horizon, for the level record."""
    return [(cell, pane.facts) for cell, pane in panes.base.items() if pane.facts and pane.id[0] == BASE]

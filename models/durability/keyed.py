"""A keyed machine: a log partition in, rows, panes, timers and outputs out. Cases and Customers are two of them.

What makes it exact, however often records are read again (each point has a test of its name in ``tests/``):

- a record is applied whole: the logic decides first, then row and panes change together under one fence;
- a record at or below the fence of a row, of a pane or of a deleted row is skipped there;
- a timer fires at the first mark after it was armed whose watermark has reached it, as part of that record.
"""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Generic

from models.durability import compaction
from models.durability.compaction import Graves, Rounds
from models.durability.fence import NO_FENCE, Fence, pack
from models.durability.pane import Pane
from models.durability.panes import PaneStore
from models.durability.rows import R, RowStore
from models.events.canonical import FIRST_VERSION, Definitions, Mark
from models.panes.dimensions import Cell, Dimensions
from models.progress.watermark import NEVER, Progress

REPEATED_FAILURES: Final = 25
"""So many failing records in a row are no bad record but a bad program."""


Journal = Sequence[tuple[str, int, Cell, int]]


class Message:
    """Something to send: logical topic, key, and a body for the codec. ``partition`` is set for control records."""

    __slots__ = ("body", "key", "partition", "topic")

    def __init__(self, topic: str, key: str, body: Any, partition: int | None = None) -> None:
        self.topic = topic
        self.key = key
        self.body = body
        self.partition = partition


class Decision(Generic[R]):
    """What a logic decided about one row; ``row=None`` with ``over`` deletes it."""

    __slots__ = ("counted", "journal", "messages", "over", "row")

    def __init__(
        self, row: R | None, journal: Journal = (), messages: list[Message] | None = None, counted: str = "", *, over: bool = False
    ) -> None:
        self.row = row
        self.journal = journal
        self.messages: list[Message] = [] if messages is None else messages
        self.counted = counted
        self.over = over


class Logic(ABC, Generic[R]):
    """The part in which Cases and Customers differ.

    ``apply`` and ``wake`` raise ``RecordFailedError`` when a record could not be handled and nothing was changed;
    anything else that escapes them ends the process.
    """

    @abstractmethod
    def adopt(self, body: dict[str, Any], *, changed: bool) -> None:
        """Work by these definitions from now on; ``changed``: others held before."""

    @abstractmethod
    def note(self, record: Any) -> None:
        """Register what a record says, whether it is applied or not."""

    @abstractmethod
    def apply(self, key: str, row: R | None, record: Any, fence: Fence, progress: Progress) -> Decision[R]:
        """What a record does to the row."""

    @abstractmethod
    def wake(self, key: str, row: R, fence: Fence, progress: Progress) -> Decision[R]:
        """What the passing of time does to a row whose timer is due."""

    @abstractmethod
    def occurred_at(self, record: Any) -> int:
        """The record's event time (ms)."""

    @abstractmethod
    def conclude(self, key: str, row: R) -> None:
        """Set what follows from the row as it stands, ``wake_at`` above all: called before time passes and before the row is written."""

    @abstractmethod
    def rewritten(self, keys: Sequence[str]) -> None:
        """These unchanged or deleted rows are written again; so must be what was published about them."""

    @abstractmethod
    def counted_before(self, row: R | None, record: Any) -> str:
        """How a record was counted that the row has already taken."""


class RecordFailedError(Exception):
    """Handling one record raised; the row is as it was. Dead-letter the record and go on."""


class TooManyFailuresError(Exception):
    """Handling failed for record after record: stop, don't dead-letter everything."""


class KeyedState(Generic[R]):
    """State of one partition. ``offset`` is the next one to process.

    ``published`` and ``stated``: offset, watermark and clock as last published, and as last published whole, with a status.
    """

    def __init__(self, partition: int, logic: Logic[R], panes: PaneStore, dimensions: Dimensions, rows: RowStore[R]) -> None:
        self.partition = partition
        self.logic = logic
        self.panes = panes
        self.dimensions = dimensions
        self.epoch = 0
        self.offset = 0
        self.rows = rows
        self.progress = Progress()
        self.definitions = Definitions(version=0, body={})
        self.counters: dict[str, int] = {}
        self.graves: dict[str, Fence] = {}
        self.unwritten: dict[str, None] = {}
        self.burials: Graves[str, Fence] = Graves()
        self.forgotten: list[str] = []
        self.turn = 0
        self.published: tuple[int, int, int] | None = None
        self.stated: tuple[int, int, int] | None = None
        self._timers: list[tuple[int, str]] = []
        self._unconcluded: dict[str, None] = {}
        self._failures = 0
        self._rounds: Rounds[str] = Rounds()

    # -- records --------------------------------------------------------------------------------------

    def count(self, name: str, amount: int = 1) -> None:
        """Count something; counters are state, so a replay counts alike."""
        self.counters[name] = self.counters.get(name, 0) + amount

    def apply(self, key: str, record: Any, offset: int) -> list[Message]:
        """Apply one event record whole."""
        self.offset = offset + 1
        logic = self.logic
        logic.note(record)
        fence = pack(self.epoch, offset)
        row = self.rows.get(key)
        watermark = self.progress.watermark
        if watermark > NEVER:
            behind = watermark - logic.occurred_at(record)
            if behind > self.panes.horizon:
                self.count("too_late")
                return []
            if behind > 0:
                self.count("late")
        if (row.fence if row is not None else self.graves.get(key, NO_FENCE)) >= fence:
            self.count(logic.counted_before(row, record))
            return []
        try:
            decision = logic.apply(key, row, record, fence, self.progress)
        except RecordFailedError as error:
            return self._failed(key, record, error)
        self._failures = 0
        self.count(decision.counted or "applied")
        if decision.row is not None:
            self._keep(key, decision, fence)
            self.panes.close_record(fence)
        return decision.messages

    def _failed(self, key: str, record: Any, error: RecordFailedError) -> list[Message]:
        self.count("handler_errors")
        self._failures += 1
        if self._failures >= REPEATED_FAILURES:
            message = f"{self._failures} records in a row could not be handled; the last error: {type(error.__cause__ or error).__name__}"
            raise TooManyFailuresError(message) from error
        return [Message("dead-letters", key, {"reason": "handler_error", "record": record, "detail": repr(error)})]

    def _keep(self, key: str, decision: Decision[R], fence: Fence) -> None:
        row = decision.row
        self.panes.add_all(decision.journal, fence)
        self.unwritten[key] = None
        if decision.over or row is None:
            self.rows.pop(key)
            self.graves[key] = fence
            return
        row.fence = fence
        self.rows[key] = row
        self._unconcluded[key] = None

    def conclude(self) -> None:
        """Draw the conclusions from every row touched since the last call, and arm their timers."""
        unconcluded, self._unconcluded = self._unconcluded, {}
        rows, conclude = self.rows, self.logic.conclude
        for key in unconcluded:
            row = rows.get(key)
            if row is not None:
                armed = row.wake_at
                conclude(key, row)
                if row.wake_at != armed:
                    self.arm(row.wake_at, key)

    def arm(self, at: int, key: str) -> None:
        """Arm the row's timer; an entry that the row no longer wants is ignored when it surfaces."""
        if at < 2**62:
            heapq.heappush(self._timers, (at, key))

    # -- control records --------------------------------------------------------------------------------

    def define(self, definitions: Definitions, offset: int) -> None:
        """Adopt definitions of a higher version."""
        self.conclude()
        self.offset = offset + 1
        if definitions.version > self.definitions.version:
            self.adopt(definitions)

    def adopt(self, definitions: Definitions) -> None:
        """Work by these definitions from now on."""
        self.definitions = definitions
        self.logic.adopt(definitions.body, changed=definitions.version > FIRST_VERSION)

    def mark(self, mark: Mark, offset: int) -> list[Message]:
        """Let time pass: fire every timer that the watermark has reached, under the mark's own fence."""
        self.conclude()
        self.offset = offset + 1
        progress = self.progress
        fence = pack(self.epoch, offset)
        messages = self._fire(progress.watermark, fence) if progress.take(mark) else []
        self.panes.advance(progress.watermark, progress.clock, fence)
        self.panes.close_record(fence)
        return messages

    def _fire(self, watermark: int, fence: Fence) -> list[Message]:
        messages: list[Message] = []
        held: list[tuple[int, str]] = []
        timers, rows = self._timers, self.rows
        woken: list[tuple[int, str]] = []
        while timers and timers[0][0] <= watermark:
            woken.append(heapq.heappop(timers))
        for at, key in woken:
            row = rows.look(key)
            if row is None or row.wake_at != at:
                continue
            if row.fence >= fence:
                held.append((at, key))  # the row is ahead of this mark: it was armed later in the log
                continue
            messages += self._wake(key, rows[key], fence)
        for entry in held:
            heapq.heappush(timers, entry)
        return messages

    def _wake(self, key: str, row: R, fence: Fence) -> list[Message]:
        row.wake_at = 2**62  # its timer is spent
        try:
            decision = self.logic.wake(key, row, fence, self.progress)
        except RecordFailedError as error:
            return self._failed(key, None, error)
        self.count("timers")
        self._keep(key, decision, fence)
        return decision.messages

    # -- checkpoint -------------------------------------------------------------------------------------

    def rewrite(self, turns: int = 1) -> tuple[list[Pane], list[tuple[str, Fence]]]:
        """Begin a checkpoint that stands for so many: a share of what did not change is written again.

        Returns what gets its tombstone, panes and rows.
        """
        self.conclude()
        self.turn += turns
        panes_over = self.panes.rewrite(self.turn)
        share = [key for key in self._rounds.share(self.turn, lambda: list(self.rows)) if key in self.rows]
        again, over = self.burials.take(self.turn)
        said_again = again + over
        for key in share:
            self.unwritten.setdefault(key)
        for key, fence in said_again:
            self.unwritten.setdefault(key)
            self.graves.setdefault(key, fence)
        self.logic.rewritten(share + [key for key, _ in said_again])
        if self.turn % compaction.REWRITE_OVER < turns:
            self.published = self.stated = None
        return panes_over, over

    def take_unwritten(self) -> list[str]:
        """Keys of the rows to write in this checkpoint."""
        keys, self.unwritten = self.unwritten, {}
        return list(keys)

    def forget_graves(self) -> None:
        """A grave stops records that are read again; below the processed offset none is."""
        now = pack(self.epoch, max(self.offset, 0))
        self.graves = {key: fence for key, fence in self.graves.items() if fence >= now}

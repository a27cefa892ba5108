"""The protocol with one part wrong. Each way must be caught: what is not caught here is not tested.

Some are mistakes in what the engine does (``worker`` makes them); the others replace a part of the real code while a run lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from agents.keyed import KeyedProcessor
from models.cases.row import CaseRow
from models.cases.rules import CaseRules
from models.durability.fence import Fence, pack
from models.durability.keyed import Decision, KeyedState
from models.durability.pane import Pane
from models.durability.panes import PaneStore
from models.durability.recovery import MARKER, PANE, ROW, Merge
from models.events.canonical import Mark
from models.progress.watermark import NEVER, Progress

ENGINE_FAULTS: Final = (
    "panes after rows",
    "commit before acknowledgements",
    "no marker",
    "snapshot after waiting",
    "marks before acknowledgements",
)


@contextmanager
def applied(broken: str) -> Iterator[None]:
    """The real code with that fault in it; unchanged for an empty name and for what the engine does wrong."""
    with ExitStack() as stack:
        for owner, name, replacement in _REPLACED.get(broken, ()):
            stack.enter_context(patch.object(owner, name, replacement))
        yield


# -- fences ---------------------------------------------------------------------------------------------


def _change_with_a_fence_per_fact(self: PaneStore, pane: Pane, key: str, weight: int, fence: Fence) -> None:
    """The pane is taken to be complete once it has the first of a record's facts."""
    _change(self, pane, key, weight, fence)
    pane.fence = max(pane.fence, fence)
    self.unwritten[pane] = None


_change = PaneStore._change


def _handle_netting_batches(self: KeyedProcessor, state: KeyedState[Any], records: Any) -> Any:
    """All changes of a batch reach a pane together, under the fence of the batch's last record."""
    if not records:
        return []
    last = pack(state.epoch, records[-1].offset)
    panes = state.panes
    touched: list[Pane] = []

    def change(pane: Pane, key: str, weight: int, fence: Fence) -> None:
        touched.append(pane)
        _change(panes, pane, key, weight, last)

    def close(fence: Fence) -> None:
        for pane in panes._touched:
            panes.unpublished[pane] = panes.unwritten[pane] = None
        touched.extend(panes._touched)
        panes._touched.clear()

    with patch.object(panes, "_change", change), patch.object(panes, "close_record", close):
        outputs = _handle(self, state, records)
    for pane in touched:
        pane.fence = max(pane.fence, last)
        panes.unpublished[pane] = panes.unwritten[pane] = None
    return outputs


_handle = KeyedProcessor.handle


# -- recovery ---------------------------------------------------------------------------------------------


def _absorb_the_last(self: Merge, key: bytes, value: bytes | None) -> None:
    """Whatever stands last in the changelog holds."""
    kind = key[:1]
    if kind == MARKER:
        self.marker = value
        return
    newest = {PANE: self.panes, ROW: self.rows}[kind]
    if value is None:
        newest.pop(key, None)
    else:
        newest[key] = value


def _checkpoint_with_bare_tombstones(self: KeyedProcessor, state: KeyedState[Any], turns: int = 1) -> Any:
    """A deletion is a tombstone at once, without a fence."""
    checkpoint = _checkpoint(self, state, turns)
    for entries in (checkpoint.panes, checkpoint.rows):
        entries[:] = [(key, None if value is not None and len(value) == len(pack(0, 0).to_bytes(8, "big")) else value) for key, value in entries]
    return checkpoint


_checkpoint = KeyedProcessor.checkpoint


def _without_rewriting(self: KeyedState[Any], turns: int) -> Any:
    """What does not change is never written again, and a deletion once."""
    self.turn += turns
    return [], []


def _restore_all_slices(self: PaneStore, panes: Any, limits: tuple[int, int], now: Fence) -> None:
    """What stands in the changelog exists, whatever the watermark says."""
    del limits
    _restore(self, panes, (NEVER, NEVER), now)


_restore = PaneStore.restore


# -- time ---------------------------------------------------------------------------------------------------


def _take_the_maximum(self: Progress, mark: Mark) -> bool:
    """One watermark for all sources: as far as any has come."""
    _take(self, mark)
    before, self.watermark = self.watermark, max(self.watermark, *mark.sources.values(), NEVER, NEVER)
    return self.watermark > before


_take = Progress.take


def _expect_nothing(self: Progress, topic: str, partitions: int) -> None:
    """A source that no one has heard of does not count."""


def _keep_and_fire_at_once(self: KeyedState[Any], key: str, decision: Decision[Any], fence: Fence) -> None:
    """A timer armed behind the watermark fires with the record that armed it."""
    _keep(self, key, decision, fence)
    self.conclude()
    row = self.rows.get(key)
    if row is not None and row.wake_at <= self.progress.watermark and row.settled_to < self.progress.watermark:
        late = self.logic.wake(key, row, fence, self.progress)
        decision.messages += late.messages
        _keep(self, key, late, fence)


_keep = KeyedState._keep


def _arm_only_ahead(self: KeyedState[Any], at: int, key: str) -> None:
    """A timer behind the watermark is forgotten."""
    if at > self.progress.watermark:
        _arm(self, at, key)


_arm = KeyedState.arm


def _booked_is_booked(self: CaseRow, rules: CaseRules) -> bool:
    """A row in memory keeps the facts that older rules made, one from the changelog gets those of the rules that hold."""
    return self.booked is None and _unbooked(self, rules)


_unbooked = CaseRow.unbooked


_Replacement = tuple[Any, str, Callable[..., Any]]

_REPLACED: Final[dict[str, tuple[_Replacement, ...]]] = {
    "a fence per fact": ((PaneStore, "_change", _change_with_a_fence_per_fact),),
    "net change per batch": ((KeyedProcessor, "handle", _handle_netting_batches),),
    "last-write-wins recovery": ((Merge, "absorb", _absorb_the_last),),
    "one shared maximum as watermark": ((Progress, "take", _take_the_maximum),),
    "sources forgotten when unheard": ((Progress, "_expect", _expect_nothing),),
    "deletions without a fence": ((KeyedProcessor, "checkpoint", _checkpoint_with_bare_tombstones),),
    "timers behind the watermark fire at once": ((KeyedState, "_keep", _keep_and_fire_at_once),),
    "timers behind the watermark never fire": ((KeyedState, "arm", _arm_only_ahead),),
    "rows in memory keep the old rules": ((CaseRow, "unbooked", _booked_is_booked),),
    "nothing is written again": ((KeyedState, "rewrite", _without_rewriting),),
    "slices exist by presence": ((PaneStore, "restore", _restore_all_slices),),
}

MUTATIONS: Final = (*ENGINE_FAULTS, *_REPLACED)
"""Names of all of them."""


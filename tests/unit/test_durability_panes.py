"""Panes: one net change per record, fences, expiry, what is written, and what recovery believes."""

from __future__ import annotations

import pytest

from models.durability.fence import pack
from models.durability.pane import BASE, FAST, SLOW, Pane
from models.durability.panes import PaneStore
from models.panes.dimensions import Cell
from models.progress.watermark import NEVER

CELL: Cell = ("billing", "phone", "urgent", "unset")
HOUR = 3_600_000
T0 = 1_750_000_000_000 // HOUR * HOUR
KEPT = 3 * HOUR


def store() -> PaneStore:
    panes = PaneStore()
    panes.configure(HOUR, KEPT, fast=True)
    return panes


def add(panes: PaneStore, offset: int, *keys: str, at: int = T0) -> None:
    for key in keys:
        panes.add(key, at, CELL, 1, pack(0, offset))
    panes.close_record(pack(0, offset))


def advance(panes: PaneStore, watermark: int, offset: int) -> None:
    panes.advance(watermark, watermark, pack(0, offset))
    panes.close_record(pack(0, offset))


def slow(panes: PaneStore, at: int = T0) -> dict[str, int]:
    return panes.slow[at][CELL].facts


def test_all_facts_of_a_record_count_not_only_the_first() -> None:
    panes = store()

    add(panes, 1, "opened", "offered", "opened")

    assert slow(panes) == {"opened": 2, "offered": 1}


def test_a_record_at_or_below_a_panes_fence_is_skipped_there() -> None:
    panes = store()
    add(panes, 5, "opened")

    add(panes, 5, "opened")
    add(panes, 4, "opened")

    assert slow(panes) == {"opened": 1}
    assert panes.slow[T0][CELL].fence == pack(0, 5)


def test_facts_that_cancel_out_leave_nothing() -> None:
    panes = store()
    panes.add("opened", T0, CELL, 1, pack(0, 1))
    panes.add("opened", T0, CELL, -1, pack(0, 1))

    assert slow(panes) == {}


def test_every_fact_goes_to_both_tiers_unless_the_fast_one_is_off() -> None:
    panes = store()
    advance(panes, T0, 0)
    add(panes, 1, "opened")
    panes.configure(HOUR, KEPT, fast=False)
    add(panes, 2, "opened", at=T0 + HOUR)

    assert list(panes.fast) == [T0]
    assert list(panes.slow) == [T0, T0 + HOUR]


def test_a_balance_behind_the_horizon_moves_to_the_base_and_nothing_else_does() -> None:
    panes = store()
    add(panes, 1, "open_cases:open", "opened")

    advance(panes, T0 + KEPT + HOUR, 2)

    assert panes.slow == {}
    assert panes.base[CELL].facts == {"open_cases:open": 1}


def test_a_fact_behind_the_horizon_counts_in_the_base_or_not_at_all() -> None:
    panes = store()
    advance(panes, T0 + KEPT + HOUR, 1)

    add(panes, 2, "open_cases:open", "opened")

    assert panes.base[CELL].facts == {"open_cases:open": 1}
    assert (panes.beyond_horizon, panes.slow, panes.fast) == (1, {}, {})


def test_a_record_at_or_below_the_fence_of_a_base_is_skipped_there() -> None:
    panes = store()
    base = pane(BASE, 0, 9)
    panes.restore([base], (NEVER, T0 + HOUR), pack(0, 5))

    add(panes, 6, "open_cases:open")
    assert (base.facts, base.fence) == ({}, pack(0, 9))

    add(panes, 10, "open_cases:open")
    assert (base.facts, base.fence) == ({"open_cases:open": 1}, pack(0, 10))


def test_a_cell_without_a_balance_has_no_base() -> None:
    panes = store()
    add(panes, 1, "opened")

    advance(panes, T0 + KEPT + HOUR, 2)

    assert panes.base == {}


def test_base_panes_are_written_before_the_deletions_that_rely_on_them() -> None:
    panes = store()
    add(panes, 1, "open_cases:open")
    panes.take_unwritten(1)
    advance(panes, T0 + KEPT + HOUR, 2)

    written = panes.take_unwritten(2)

    assert next((pane.id[0], pane.deleted, pane.fence) for pane in written) == (BASE, False, pack(0, 2))
    assert {(pane.id[0], pane.deleted) for pane in written} == {(BASE, False), (SLOW, True)}


def test_fast_panes_are_published_and_never_written() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened")

    assert [pane.id[0] for pane in panes.take_unpublished()] == [SLOW, FAST]
    assert [pane.id[0] for pane in panes.take_unwritten(1)] == [SLOW]


def test_fast_panes_are_published_by_themselves_and_the_others_wait() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened")

    assert [pane.id[0] for pane in panes.take_unpublished_fast()] == [FAST]
    assert [pane.id[0] for pane in panes.take_unpublished()] == [SLOW]


def test_a_change_of_the_base_is_told_until_all_panes_are_taken() -> None:
    panes = store()
    advance(panes, T0 + KEPT + HOUR, 1)
    assert not panes.rebased
    add(panes, 2, "open_cases:open")

    panes.take_unpublished_fast()
    assert panes.rebased
    panes.take_unpublished()
    assert not panes.rebased


def test_a_fast_pane_that_no_one_has_seen_goes_without_a_word() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened")

    advance(panes, T0 + KEPT, 3)

    assert [pane.id[0] for pane in panes.take_unpublished()] == [SLOW]


def test_a_fast_pane_that_was_published_is_said_to_be_deleted() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened")
    panes.take_unpublished()

    advance(panes, T0 + KEPT, 3)

    (gone,) = panes.take_unpublished()
    assert (gone.id[0], gone.deleted, gone.fence) == (FAST, True, pack(0, 3))


def test_a_fast_slice_goes_when_its_end_is_two_hours_behind_the_clock() -> None:
    """The slice [T0, T0 + 10 s)"""
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened")

    advance(panes, T0 + 2 * HOUR + 9_999, 3)
    assert list(panes.fast) == [T0]

    advance(panes, T0 + 2 * HOUR + 10_000, 4)
    assert panes.fast == {}


def test_facts_ahead_of_the_clock_wait_until_it_reaches_their_hour() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened", at=T0 + HOUR)
    assert panes.fast == {}

    advance(panes, T0 + HOUR, 3)

    found = panes.fast[T0 + HOUR][CELL]
    assert (found.facts, found.fence) == ({"opened": 1}, pack(0, 3))


def test_of_an_hour_that_the_clock_has_left_in_part_only_the_rest_begins_to_count() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened", at=T0 + HOUR)
    add(panes, 3, "opened", at=T0 + HOUR + HOUR // 2)

    advance(panes, T0 + 3 * HOUR + HOUR // 4, 4)

    assert list(panes.fast) == [T0 + HOUR + HOUR // 2]


def test_facts_that_the_clock_leaves_behind_in_one_step_are_never_a_fast_pane() -> None:
    panes = store()
    advance(panes, T0, 1)
    add(panes, 2, "opened", at=T0 + HOUR)

    advance(panes, T0 + 5 * HOUR, 3)

    assert panes.fast == {}
    assert [pane.id[0] for pane in panes.take_unpublished()] == [SLOW]


def test_fast_panes_are_made_again_from_the_facts_of_the_rows() -> None:
    panes = store()
    panes.restore((), (T0, T0), pack(0, 7))

    panes.restore_fast([("opened", T0 - 1, CELL, 1), ("opened", T0, CELL, 2), ("offered", T0 + HOUR, CELL, 1)], T0, pack(0, 7))

    assert {start: cells[CELL].facts for start, cells in panes.fast.items()} == {T0: {"opened": 2}}
    assert panes.take_unpublished() == []
    advance(panes, T0 + HOUR, 8)
    assert panes.fast[T0 + HOUR][CELL].facts == {"offered": 1}


def test_without_a_fast_tier_none_is_made_again() -> None:
    panes = store()
    panes.configure(HOUR, KEPT, fast=False)

    panes.restore_fast([("opened", T0, CELL, 2)], T0, pack(0, 7))

    assert panes.fast == {}


def test_a_pane_ahead_of_the_record_is_published_again_but_not_written() -> None:
    panes = store()
    advance(panes, T0, 0)
    add(panes, 5, "opened")
    panes.take_unwritten(1)
    panes.take_unpublished()

    add(panes, 4, "opened")

    assert panes.take_unwritten(2) == []
    assert len(panes.take_unpublished()) == 2


def test_the_base_is_not_published_as_a_pane() -> None:
    panes = store()
    advance(panes, T0 + KEPT + HOUR, 1)
    add(panes, 2, "open_cases:open")

    assert panes.take_unpublished() == []


def test_every_live_pane_is_written_and_published_again_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 3)
    panes = store()
    panes.advance(NEVER, T0 + HOUR, pack(0, 0))  # the first two hours have fast panes too
    for hour in range(5):
        add(panes, hour, "opened", at=T0 + hour * HOUR)
    panes.take_unwritten(0)
    panes.take_unpublished()

    written = []
    for checkpoint in range(3, 6):
        panes.rewrite(checkpoint)
        written += panes.take_unwritten(checkpoint)

    assert (len(written), len(panes.take_unpublished())) == (5, 7)


def test_a_deleted_pane_is_said_again_and_then_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 4)
    panes = store()
    advance(panes, T0, 0)
    add(panes, 1, "opened")
    panes.take_unpublished()
    panes.take_unwritten(0)
    advance(panes, T0 + KEPT + HOUR, 2)
    panes.take_unpublished()
    panes.take_unwritten(0)

    said = []
    for checkpoint in range(1, 6):
        over = panes.rewrite(checkpoint)
        said.append((len(panes.take_unwritten(checkpoint)), len(over), len(panes.take_unpublished()), len(panes.take_forgotten())))

    assert said == [(0, 0, 0, 0), (1, 0, 2, 0), (0, 0, 0, 0), (1, 1, 2, 2), (0, 0, 0, 0)]


def pane(tier: str, start: int, offset: int, **facts: int) -> Pane:
    restored = Pane((tier, start, CELL))
    restored.fence, restored.facts = pack(0, offset), facts
    return restored


def test_restored_panes_are_published_again() -> None:
    panes = store()

    panes.restore([pane(SLOW, T0, 3, opened=1), pane(BASE, 0, 3), pane(FAST, T0, 3)], (NEVER, NEVER), pack(0, 5))

    assert [found.id[0] for found in panes.take_unpublished()] == [SLOW, FAST]
    assert panes.take_unwritten(1) == []
    assert list(panes.base) == [CELL]


def test_a_slice_that_is_gone_by_the_watermark_is_not_brought_back_by_its_presence() -> None:
    """What a zombie wrote late is deleted again under a fence that wins."""
    panes = store()

    panes.restore([pane(SLOW, T0, 3, opened=1)], (T0 + HOUR, T0 + HOUR), pack(0, 5))

    (written,) = panes.take_unwritten(1)
    assert (written.deleted, written.facts, written.fence) == (True, {}, pack(0, 5))
    assert panes.slow == {}
    assert panes.take_unpublished() == [written]


def test_a_fast_slice_that_is_gone_is_said_to_be_deleted_and_never_written() -> None:
    """A rebuild finds such panes in the panes topic."""
    panes = store()
    published = pane(FAST, T0, 3, opened=1)

    panes.restore([published], (T0 + HOUR, T0), pack(0, 5))

    assert panes.take_unpublished() == [published]
    assert (published.deleted, published.facts, published.fence) == (True, {}, pack(0, 5))
    assert panes.take_unwritten(1) == []
    assert panes.fast == {}


def test_a_deletion_ahead_keeps_the_replay_from_adding_to_the_slice() -> None:
    panes = store()
    deleted = pane(SLOW, T0, 9)
    deleted.deleted = True

    panes.restore([deleted], (T0, T0), pack(0, 5))
    add(panes, 6, "open_cases:open")
    advance(panes, T0 + KEPT + HOUR, 9)

    assert deleted.facts == {}
    assert (panes.slow, panes.base) == ({}, {})


def test_a_deletion_that_is_past_waits_only_for_its_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 1)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 1)
    panes = store()
    deleted = pane(SLOW, T0, 4)
    deleted.deleted = True

    panes.restore([deleted], (T0 + HOUR, T0 + HOUR), pack(0, 5))

    assert panes.slow == {}
    (over,) = panes.rewrite(1)
    assert (over.id, over.deleted, over.fence, over.facts) == (deleted.id, True, pack(0, 4), {})

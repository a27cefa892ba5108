"""Deleted panes are remembered slice by slice and come back as they were."""

from __future__ import annotations

import pytest

from models.durability.fence import Fence, pack
from models.durability.pane import FAST, SLOW, Pane
from models.durability.pane_graves import PaneGraves
from models.panes.dimensions import Cell

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _soon_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 4)


def cell(queue: str) -> Cell:
    return ("".join(queue), "phone", "normal", "unset")


def deleted(queue: str, start: int, fence: Fence, tier: str = SLOW) -> Pane:
    pane = Pane((tier, start, cell(queue)))
    pane.deleted, pane.fence = True, fence
    return pane


def told(panes: list[Pane]) -> list[tuple[str, int, str, Fence, bool]]:
    return [(pane.id[0], pane.id[1], pane.id[2][0], pane.fence, pane.deleted) for pane in panes]


def test_each_is_said_once_more_and_then_ends_with_the_fence_it_was_deleted_under() -> None:
    graves = PaneGraves()
    graves.bury([deleted("a", 0, pack(0, 7)), deleted("b", 0, pack(0, 7)), deleted("a", HOUR, pack(0, 9), FAST), Pane((SLOW, 0, cell("alive")))], 0)

    taken = [graves.take(turn) for turn in (1, 2, 3, 4, 5, 6)]

    all_three = [(SLOW, 0, "a", pack(0, 7), True), (SLOW, 0, "b", pack(0, 7), True), (FAST, HOUR, "a", pack(0, 9), True)]
    assert [told(again) for again, _ in taken] == [[], all_three, [], [], [], []]
    assert [told(over) for _, over in taken] == [[], [], [], all_three, [], []]


def test_what_is_said_once_more_is_not_buried_again() -> None:
    graves = PaneGraves()
    graves.bury([deleted("a", 0, pack(0, 7))], 0)
    again, _ = graves.take(2)

    graves.bury(again, 2)

    _, over = graves.take(4)
    assert told(over) == [(SLOW, 0, "a", pack(0, 7), True)]
    graves.bury(over, 4)
    assert [graves.take(turn) for turn in (6, 8, 10)] == [([], [])] * 3


def test_burials_of_one_slice_at_one_turn_are_all_remembered() -> None:
    graves = PaneGraves()
    graves.bury([deleted("a", 0, pack(0, 7))], 0)
    graves.bury([deleted("b", 0, pack(0, 7))], 0)
    assert [queue for _, _, queue, _, _ in told(graves.take(2)[0])] == ["a", "b"]


def test_slices_share_their_cells() -> None:
    """Of a backlog's very many deletions nothing else is kept."""
    graves = PaneGraves()
    graves.bury([deleted("a", start * HOUR, pack(0, start)) for start in range(3)], 0)
    kept = list(graves._graves._deleted.values())
    assert kept == [(cell("a"),)] * 3
    assert len({id(cells[0]) for cells in kept}) == 1

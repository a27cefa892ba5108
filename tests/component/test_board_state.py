"""The board's reducer: which record holds, what a client has missed, what breaches are shown."""

from __future__ import annotations

import orjson
import pytest

from stream_app.board.feed import FeedRecord
from stream_app.board.state import BoardState, supersedes
from tests.browser.board_feed import NOW, breached, kpi, source, watermark

BILLING = (("queue", "billing"),)


def value_of(state: BoardState, name: str) -> object:
    return next(row["value"] for row in state.all_rows() if row["kpi"] == name)


def test_the_newer_window_holds_whichever_was_written_last() -> None:
    """A Rollup that was stopped and woke up writes old windows after the new ones."""
    state = BoardState()
    state.apply([kpi("opened", 9, "30m", window_end=NOW + 10_000), kpi("opened", 4, "30m", window_end=NOW)])
    assert value_of(state, "opened") == 9


def test_a_correction_of_the_same_window_holds() -> None:
    state = BoardState()
    state.apply([kpi("opened", 9, "30m", window_end=NOW, revision=1), kpi("opened", 8, "30m", window_end=NOW, revision=2)])
    assert value_of(state, "opened") == 8


def test_an_old_clock_does_not_turn_the_board_back() -> None:
    state = BoardState()
    state.apply([watermark(NOW), watermark(NOW - 60_000)])
    assert state.pipeline.clock == NOW


@pytest.mark.parametrize(("held", "new"), [([1, 9], [2, 0]), ([1, 9], [1, 9])])
def test_a_fence_decides_before_everything_else(held: list[int], new: list[int]) -> None:
    assert supersedes({"fence": held, "window_end": 9}, {"fence": new, "window_end": 9})
    assert supersedes({"fence": new}, {"fence": held}) is (held == new)


def test_a_tombstone_removes_its_row() -> None:
    state = BoardState()
    state.apply([kpi("opened", 9, "30m"), FeedRecord("kpis", orjson.dumps(["opened", "30m", {}]), None)])
    assert state.all_rows() == []


def test_a_source_that_left_is_forgotten() -> None:
    state = BoardState()
    state.apply([source("contacts-3"), FeedRecord("kpis", orjson.dumps(["source_progress", "now", {"source": "contacts-3"}]), None)])
    assert state.pipeline.sources == {}


def test_routes_stay_with_the_group_that_they_belong_to() -> None:
    state = BoardState()
    state.apply([kpi("csat", 0.8, "28d", {"route": "email"}), kpi("csat", 0.7, "28d", {"route": "email", "queue": "billing"})])
    assert [row["value"] for row in state.rows(())] == [0.8]
    assert [row["value"] for row in state.rows(BILLING)] == [0.7]


@pytest.mark.parametrize(
    "record", [FeedRecord("kpis", b"[", b"{}"), FeedRecord("kpis", b'["a","b",{}]', b"7"), FeedRecord("sla-events", b"", b"{}")]
)
def test_what_cannot_be_read_is_counted_and_changes_nothing(record: FeedRecord) -> None:
    state = BoardState()
    state.apply([record])
    assert state.unreadable == 1
    assert not state.dirty


def test_a_client_gets_what_changed_after_its_frame_and_nothing_else() -> None:
    """Frame 1: opened, resolved | frame 2: resolved | frame 3: closed"""
    state = BoardState()
    for records in ([kpi("opened", 1, "30m"), kpi("resolved", 1, "30m")], [kpi("resolved", 2, "30m")], [kpi("closed", 1, "30m")]):
        state.apply(records)
        assert state.advance()
    assert [(row["kpi"], row["value"]) for row in state.changed_since((), 1)] == [("resolved", 2), ("closed", 1)]
    assert state.changed_since((), 3) == []


def test_a_frame_without_a_change_is_no_frame() -> None:
    state = BoardState()
    state.apply([kpi("opened", 1, "30m")])
    assert state.advance()
    assert not state.advance()


def test_a_removed_row_that_came_back_is_not_removed_again() -> None:
    state = BoardState()
    gone = FeedRecord("kpis", orjson.dumps(["opened", "30m", {}]), None)
    state.apply([kpi("opened", 1, "30m"), gone, kpi("opened", 2, "30m")])
    state.advance()
    assert state.removed_since((), 0) == []


def test_a_difference_whose_removals_are_forgotten_is_refused() -> None:
    state = BoardState()
    for number in range(2_100):
        group = {"queue": f"q{number}"}
        state.apply([kpi("opened", 1, "30m", group), FeedRecord("kpis", orjson.dumps(["opened", "30m", group]), None)])
        state.advance()
    assert not state.can_resume(50)
    assert state.can_resume(2_000)


def test_breaches_are_grouped_and_a_retracted_one_stays_away_when_it_is_delivered_again() -> None:
    state = BoardState()
    state.apply([breached("a"), breached("b"), breached("c", "orders"), breached("b", kind="retracted", revision=2), breached("b")])
    assert state.breaches.alerts(NOW) == [
        {"metric": "first_reply", "queue": "billing", "breaches": 1},
        {"metric": "first_reply", "queue": "orders", "breaches": 1},
    ]
    assert state.breaches.alerts(NOW + 3_600_000) == []

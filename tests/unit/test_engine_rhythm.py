"""When checkpoints are due: regularly, and in a backlog further and further apart; and when one is over."""

from __future__ import annotations

import pytest

from stream_app.engine.rhythm import Flow, Rhythm, until_beat


def test_without_a_backlog_a_checkpoint_is_due_at_every_interval() -> None:
    rhythm = Rhythm(1.0, 5.0, now=10.0)
    assert not rhythm.due(10.9, in_backlog=False)
    assert rhythm.due(11.0, in_backlog=False)
    assert rhythm.cut(11.0, in_backlog=False) == 1
    assert not rhythm.due(11.9, in_backlog=False)
    assert rhythm.due(12.0, in_backlog=False)


def test_a_checkpoint_that_is_nearly_due_does_not_wait_for_the_next_beat() -> None:
    """Else each would come a beat late, whenever its beat begins a little sooner than that of the last."""
    rhythm = Rhythm(1.0, 5.0, now=0.004)
    assert not rhythm.due(0.95, in_backlog=False)
    assert rhythm.due(1.001, in_backlog=False)


def test_the_first_checkpoint_comes_by_the_turn_of_the_partition() -> None:
    rhythm = Rhythm(1.0, 5.0, now=0.0)
    rhythm.begin(10.0, 0.5)
    assert not rhythm.due(11.4, in_backlog=False)
    assert rhythm.due(11.5, in_backlog=False)
    assert rhythm.cut(11.5, in_backlog=False) == 1
    assert rhythm.due(12.5, in_backlog=False)


def test_in_a_backlog_the_first_is_due_as_ever_and_the_next_later_and_later_up_to_the_longest_interval() -> None:
    rhythm, now, gaps = Rhythm(1.0, 5.0, now=0.0), 0.0, []
    for _ in range(7):
        gap = next(tenths / 10 for tenths in range(1, 100) if rhythm.due(now + tenths / 10, in_backlog=True))
        now += gap
        gaps.append(gap)
        rhythm.cut(now, in_backlog=True)
    assert gaps == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0]


def test_with_the_backlog_gone_the_next_is_due_at_once_and_the_growth_begins_anew() -> None:
    rhythm = Rhythm(1.0, 5.0, now=0.0)
    for now in (1.0, 3.0):
        rhythm.cut(now, in_backlog=True)
    assert not rhythm.due(4.0, in_backlog=True)
    assert rhythm.due(4.0, in_backlog=False)
    rhythm.cut(4.0, in_backlog=False)
    assert rhythm.due(5.0, in_backlog=True)


def test_a_checkpoint_stands_for_the_intervals_since_the_last_one() -> None:
    rhythm = Rhythm(2.0, 10.0, now=0.0)
    assert [rhythm.cut(now, in_backlog=True) for now in (0.5, 2.5, 8.6, 20.6)] == [1, 1, 3, 6]


def test_a_longest_interval_below_the_regular_one_does_not_count() -> None:
    rhythm = Rhythm(8.0, 5.0, now=0.0)
    rhythm.cut(8.0, in_backlog=True)
    assert not rhythm.due(15.9, in_backlog=True)
    assert rhythm.due(16.0, in_backlog=True)


def test_a_flow_is_quiet_for_as_many_looks_as_find_nothing_new() -> None:
    flow = Flow()
    assert [flow.look(count) for count in (7, 7, 7, 9, 9, 10)] == [0, 1, 2, 0, 1, 0]


def test_beats_are_the_same_instants_whoever_asks_and_whenever() -> None:
    for now in (12.0, 12.01, 12.013, 12.04):
        assert now + until_beat(0.05, now) == pytest.approx(12.05)


def test_a_beat_that_is_all_but_here_is_not_waited_for_again() -> None:
    """A timer may fire a little early."""
    assert until_beat(0.05, 12.049999) == pytest.approx(0.050001)

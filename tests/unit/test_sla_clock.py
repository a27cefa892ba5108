"""One clock by itself: due, pauses, re-targeting, fulfilment. Instants are plain numbers."""

from __future__ import annotations

import pytest

from models.sla.clock import MET, NONE, PASSED, RUNNING, Clock


def clock(target: int | None = 100, fixed: int | None = None) -> Clock:
    return Clock("resolution", 1_000, target, fixed)


def test_a_clock_is_due_its_target_after_the_start() -> None:
    assert (clock().due, clock().state) == (1_100, RUNNING)


def test_without_a_target_and_a_promise_there_is_no_clock() -> None:
    none = clock(None)
    assert (none.due, none.state, none.expires_at, none.warn_at(0.75)) == (None, NONE, None, None)


def test_an_instant_given_by_the_source_outranks_the_target_and_is_neither_paused_nor_changed() -> None:
    promised = clock(100, 1_300)
    promised.pause(1_010)
    promised.retarget(1_020, 5)
    assert (promised.due, promised.state) == (1_300, RUNNING)


def test_a_pause_moves_the_due_instant_by_its_length() -> None:
    #    1000 ───── 1030 ┄┄ paused ┄┄ 1070 ───────● 1140
    paused = clock()
    paused.pause(1_030)
    assert (paused.due, paused.expires_at, paused.warn_at(0.75)) == (None, None, None)
    paused.pause(1_050)  # already paused
    paused.resume(1_070)
    paused.resume(1_090)  # already running
    assert paused.due == 1_140


def test_a_pause_before_the_start_counts_from_the_start() -> None:
    early = clock()
    early.pause(900)
    early.resume(950)
    assert early.due == 1_100


def test_another_target_counts_from_the_start_with_pauses_kept() -> None:
    changed = clock()
    changed.pause(1_010)
    changed.resume(1_030)
    changed.retarget(1_040, 500)
    assert changed.due == 1_520


def test_a_target_that_is_over_already_is_due_at_the_change() -> None:
    changed = clock()
    changed.retarget(1_090, 20)
    assert changed.due == 1_090


def test_a_target_changed_while_paused_holds_after_the_pause() -> None:
    changed = clock()
    changed.pause(1_010)
    changed.retarget(1_020, 50)
    assert changed.due is None
    changed.resume(1_030)
    assert changed.due == 1_070


def test_a_priority_without_a_target_ends_the_clock_for_good() -> None:
    ended = clock()
    ended.retarget(1_010, None)
    ended.retarget(1_020, 100)
    assert (ended.due, ended.state, ended.fulfil(1_030)) == (None, NONE, False)


def test_the_first_fulfilment_meets_a_running_clock() -> None:
    met = clock()
    assert met.fulfil(1_050)
    assert not met.fulfil(1_060)
    assert (met.state, met.fulfilled_at) == (MET, 1_050)


def test_a_passed_clock_keeps_its_verdict() -> None:
    passed = clock()
    passed.expire()
    passed.pause(1_200)
    passed.resume(1_300)
    passed.retarget(1_400, 9_999)
    assert not passed.fulfil(1_500)
    assert (passed.state, passed.due, passed.fulfilled_at) == (PASSED, 1_100, 1_500)


def test_a_pause_that_a_fulfilment_ended_moves_nothing() -> None:
    met = clock()
    met.pause(1_010)
    assert met.fulfil(1_020)
    met.resume(1_500)
    assert met.due is None


@pytest.mark.parametrize(("share", "at"), [(0.75, 1_075), (1, 1_100), (0, 1_000)])
def test_the_warning_comes_when_a_share_of_the_target_is_used_up(share: float, at: int) -> None:
    assert clock().warn_at(share) == at


def test_the_warning_of_a_promise_goes_by_the_time_from_the_start_to_it() -> None:
    assert clock(None, 1_400).warn_at(0.75) == 1_300


def test_a_promise_that_was_over_at_the_start_warns_at_once() -> None:
    assert clock(None, 800).warn_at(0.75) == 800

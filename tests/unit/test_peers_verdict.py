"""When the results of a contender count as right."""

from __future__ import annotations

import pytest

from bench.peers.job import Row, Window
from bench.peers.verdict import CLOSING_MS, Verdict, compare

ROW: Row = [1, 2, 3, 4, 5]
CHAT, MAIL = ("billing", "chat", 10), ("billing", "email", 10)
TRUTH: dict[Window, Row] = {CHAT: ROW, MAIL: ROW}
END = 11 * 60_000
LONG_AFTER = END + CLOSING_MS


def test_equal_rows_are_all_right() -> None:
    verdict = compare(TRUTH, dict(TRUTH), LONG_AFTER)
    assert verdict == Verdict(expected=2, right=2, wrong=0, missing=0, open=0, extra=0, events=2, counted=2)
    assert (verdict.all_right, verdict.closed_right, str(verdict)) == (True, True, "all")


@pytest.mark.parametrize("place", range(5))
def test_one_differing_figure_makes_a_window_wrong(place: int) -> None:
    other = list(ROW)
    other[place] += 1
    verdict = compare(TRUTH, {CHAT: ROW, MAIL: other}, LONG_AFTER)
    assert (verdict.wrong, verdict.all_right, verdict.closed_right, str(verdict)) == (1, False, False, "1 of 2")


def test_events_counted_twice_are_told() -> None:
    verdict = compare(TRUTH, {CHAT: [2, *ROW[1:]]}, LONG_AFTER)
    assert (verdict.events, verdict.counted) == (1, 2)


def test_a_missing_window_is_still_open_only_shortly_before_the_last_event() -> None:
    open_yet = compare(TRUTH, {CHAT: ROW}, LONG_AFTER - 1)
    assert (open_yet.open, open_yet.closed_right, open_yet.all_right, str(open_yet)) == (1, True, False, "closed ones")
    lost = compare(TRUTH, {CHAT: ROW}, LONG_AFTER)
    assert (lost.missing, lost.closed_right, str(lost)) == (1, False, "1 of 2")


def test_an_open_window_that_was_published_must_be_right() -> None:
    assert not compare(TRUTH, {CHAT: ROW, MAIL: [0, 0, 0, 0, 0]}, END).closed_right


def test_a_window_without_events_is_no_result() -> None:
    verdict = compare(TRUTH, TRUTH | {("billing", "phone", 10): ROW}, LONG_AFTER)
    assert (verdict.extra, verdict.all_right, verdict.closed_right) == (1, False, False)


def test_nothing_at_all_is_not_right_because_everything_is_open() -> None:
    assert not compare(TRUTH, {}, END).closed_right

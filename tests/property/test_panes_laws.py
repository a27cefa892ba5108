"""Laws of panes, histograms and windows."""

from __future__ import annotations

from datetime import datetime
from itertools import cycle, islice
from math import ceil, floor
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from models.panes import histogram, tiers, windows
from models.panes.pane import Nested, Pane, merge, merge_nested, nested, remove, remove_nested
from models.rollup.running import LATE_KEPT, RunningSum, Slices

KEYS = st.sampled_from(["opened", "resolved", "first_reply:z", "first_reply:812", "open_cases:open"])
PANES = st.dictionaries(KEYS, st.integers(-50, 50).filter(bool))
DURATIONS = st.lists(st.integers(0, 400 * 86_400_000), min_size=1, max_size=60)
INSTANTS = st.integers(946_684_800_000, 2_000_000_000_000)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])


def add(left: Pane, right: Pane) -> Pane:
    total = dict(left)
    merge(total, right)
    return total


def subtract(left: Pane, right: Pane) -> Pane:
    total = dict(left)
    remove(total, right)
    return total


@given(PANES, PANES, PANES)
def test_panes_are_a_commutative_group(a: dict[str, int], b: dict[str, int], c: dict[str, int]) -> None:
    assert add(a, b) == add(b, a)
    assert add(add(a, b), c) == add(a, add(b, c))
    assert add(a, {}) == a
    assert subtract(add(a, b), b) == a
    assert subtract(a, a) == {}


@given(PANES, PANES)
def test_zero_entries_do_not_exist(a: dict[str, int], b: dict[str, int]) -> None:
    assert 0 not in add(a, b).values()
    assert 0 not in subtract(a, b).values()


@given(st.integers(1, 400 * 86_400_000))
def test_bucket_value_is_within_its_accuracy(duration: int) -> None:
    value = histogram.bucket_value(histogram.bucket(duration))
    assert abs(value - duration) <= histogram.ACCURACY * duration * (1 + 1e-9)


def exact(durations: list[int], q: float) -> float:
    ordered = sorted(durations)
    position = q * (len(ordered) - 1)
    low, high = ordered[floor(position)], ordered[ceil(position)]
    return low + (position - floor(position)) * (high - low)


@given(PANES, PANES)
def test_nested_panes_are_added_and_subtracted_like_flat_ones(left: Pane, right: Pane) -> None:
    total: Nested = {}
    merge_nested(total, left)
    assert total == nested(left)
    merge_nested(total, right)
    assert total == nested(add(left, right))
    remove_nested(total, left)
    assert total == nested(right)


@given(DURATIONS, st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.95, 1.0]))
def test_quantile_is_within_one_percent_of_quantile_cont(durations: list[int], q: float) -> None:
    buckets: dict[str, int] = {}
    for duration in durations:
        merge(buckets, {histogram.bucket(duration): 1})
    expected = exact(durations, q)
    assert abs(histogram.Ordered(buckets).quantile(q) - expected) <= 0.01 * expected + 1e-6


@given(st.lists(st.tuples(st.integers(0, 40), PANES), max_size=30), st.lists(st.integers(0, 45), min_size=1, max_size=8))
def test_window_that_moves_equals_the_merge_of_its_slices(changes: list[tuple[int, dict[str, int]]], moves: list[int]) -> None:
    slices, running = Slices(10), RunningSum()
    for index, (place, change) in enumerate(changes):
        slices.add(place * 10, change)
        running.add(place * 10, change)
        end = moves[index % len(moves)] * 10
        running.move(slices, (end - 120, end))
        expected: dict[str, int] = {}
        for at, pane in slices.panes.items():
            if end - 120 <= at < end:
                merge(expected, pane)
        assert running.pane == nested(expected)


@given(st.lists(st.tuples(st.integers(0, 14), PANES), min_size=1, max_size=10), st.integers(0, 3 * LATE_KEPT), st.integers(0, 3))
def test_a_sum_that_was_not_asked_for_during_many_changes_equals_a_fresh_one(
    changes: list[tuple[int, dict[str, int]]], number: int, step: int
) -> None:
    """With more changes than it keeps, too; whether the window has moved meanwhile or not."""
    slices, running, fresh = Slices(10), RunningSum(), RunningSum()
    slices.add(20, {"opened": 1})
    running.move(slices, (0, 120))
    for place, change in islice(cycle(changes), number):
        slices.add(place * 10, change)
        running.add(place * 10, change)
    bounds = (step * 10, 120 + step * 10)
    running.move(slices, bounds)
    fresh.move(slices, bounds)
    assert running.pane == fresh.pane


@given(INSTANTS, ZONES)
def test_every_instant_is_in_exactly_one_day(at: int, zone: str) -> None:
    start, end = windows.day_bounds(at, zone)
    assert start <= at < end
    assert windows.day_bounds(start, zone) == windows.day_bounds(end - 1, zone) == (start, end)
    assert windows.day_bounds(end, zone)[0] == end


@given(INSTANTS, ZONES)
def test_day_is_the_zones_calendar_day(at: int, zone: str) -> None:
    start, _ = windows.day_bounds(at, zone)
    where = ZoneInfo(zone)
    assert datetime.fromtimestamp(at / 1000, where).date() == datetime.fromtimestamp(start / 1000, where).date()


@given(INSTANTS, ZONES, st.sampled_from(windows.LIVE))
def test_live_window_holds_its_clock_and_whole_slices(clock: int, zone: str, window: str) -> None:
    start, end = windows.live_bounds(window, clock, zone)
    width = tiers.FAST_WIDTH if window in windows.SLIDING else tiers.slow_width(zone)
    assert start <= clock < end <= clock + width
    assert start % width == end % width == 0

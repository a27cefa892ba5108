"""Histogram, tiers and windows on known numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from models.panes import histogram, pane, tiers, windows


def at(*parts: int, zone: str = "UTC") -> int:
    return int(datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()) * 1000  # type: ignore[arg-type, misc]


def test_zero_and_negative_durations_share_the_bucket_of_zero() -> None:
    assert (histogram.bucket(0), histogram.bucket(-5)) == ("z", "z")


def test_bucket_of_a_duration_follows_the_definition() -> None:
    assert histogram.bucket(1) == "0"
    assert histogram.bucket(210_000) == "766"
    assert histogram.key("first_reply", 210_000) == "first_reply:766"


def test_value_of_the_bucket_of_zero_is_zero() -> None:
    assert histogram.bucket_value("z") == 0


def test_quantile_interpolates_between_two_ranks() -> None:
    """Ranks 0 and 1 of 0 ms and 10 s: the median is half way."""
    buckets = {"z": 1, histogram.bucket(10_000): 1}
    assert histogram.Ordered(buckets).quantile(0.5) == pytest.approx(5_000, rel=0.01)


def test_quantile_of_one_rank_and_of_the_last_one() -> None:
    buckets = {histogram.bucket(7_000): 3}
    assert histogram.Ordered(buckets).quantile(0) == histogram.Ordered(buckets).quantile(1) == pytest.approx(7_000, rel=0.008)


def test_quantile_beyond_the_last_rank_is_the_greatest() -> None:
    assert histogram.Ordered({"z": 2}).quantile(1.5) == 0


def test_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        histogram.Ordered({}).quantile(0.5)


def test_count_of_a_histogram() -> None:
    assert histogram.count({"z": 2, "5": 3}) == 5


def test_nested_splits_at_the_last_colon() -> None:
    assert pane.nested({"a": 1, "b:x": 2, "b:y": 3, "c:d:e": 4}) == {"a": 1, "b": {"x": 2, "y": 3}, "c:d": {"e": 4}}


def test_names_are_those_of_nested() -> None:
    assert pane.names({"a": 1, "b:x": 2, "c:d:e": 4}) == {"a", "b", "c:d"}


def test_slice_is_half_open() -> None:
    """[0, 10 s) holds 0 and 9.999 s, not 10 s."""
    assert [tiers.slice_start(at, 10_000) for at in (0, 9_999, 10_000, -1)] == [0, 0, 10_000, -10_000]


@pytest.mark.parametrize(("zone", "minutes"), [("UTC", 60), ("Europe/Berlin", 60), ("Asia/Kolkata", 15), ("Asia/Kathmandu", 15)])
def test_slow_slices_follow_the_zone(zone: str, minutes: int) -> None:
    assert tiers.slow_width(zone) == minutes * tiers.MINUTE


def test_sliding_window_ends_with_the_slice_of_the_clock() -> None:
    clock = at(2026, 3, 1, 12, 0, 7)
    assert windows.live_bounds("30m", clock, "UTC") == (at(2026, 3, 1, 11, 30, 10), at(2026, 3, 1, 12, 0, 10))


def test_today_begins_at_midnight_of_the_zone() -> None:
    clock = at(2026, 3, 1, 23, 30)
    assert windows.live_bounds("today", clock, "Europe/Berlin") == (
        at(2026, 3, 2, zone="Europe/Berlin"),
        at(2026, 3, 2, 0),
    )


def test_rolling_window_is_whole_days_of_slow_slices() -> None:
    start, end = windows.live_bounds("7d", at(2026, 3, 10, 8, 15), "UTC")
    assert (start, end) == (at(2026, 3, 3, 9), at(2026, 3, 10, 9))


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25), (7, 1, 24)])
def test_day_has_23_or_25_hours_when_clocks_change(month: int, day: int, hours: int) -> None:
    noon = at(2026, month, day, 12, zone="Europe/Berlin")
    start, end = windows.closing_bounds("day", noon, "Europe/Berlin")
    assert end - start == hours * tiers.HOUR
    assert datetime.fromtimestamp(start / 1000, ZoneInfo("Europe/Berlin")).hour == 0


def test_instant_at_the_end_of_a_day_belongs_to_the_next() -> None:
    start, end = windows.day_bounds(at(2026, 3, 29, 12), "Europe/Berlin")
    assert windows.day_bounds(end, "Europe/Berlin")[0] == end
    assert windows.day_bounds(end - 1, "Europe/Berlin")[0] == start


def test_day_of_utc_needs_no_zone() -> None:
    assert windows.day_bounds(at(2026, 3, 29, 12), "UTC") == (at(2026, 3, 29), at(2026, 3, 30))


def test_hour_holds_its_start_and_not_its_end() -> None:
    start, end = windows.closing_bounds("hour", at(2026, 3, 29, 12), "UTC")
    assert (start, end) == (at(2026, 3, 29, 12), at(2026, 3, 29, 13))


def test_window_is_final_ten_minutes_after_its_end() -> None:
    end = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert windows.is_final(end, end + 600_000)
    assert not windows.is_final(end, end + 599_999)
    assert not windows.is_final(end, None)

"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stream_app.settings import format_duration, milliseconds, parse_duration, whole_seconds


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("20s", timedelta(seconds=20)),
        ("1.5h", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        (" 2 d 3 h ", timedelta(days=2, hours=3)),
        ("0s", timedelta()),
        ("15M", timedelta(minutes=15)),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "15", "m", "-5s", "1h 30", "1y", "5 minutes", "1e3s", "nan s", "999999999d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|at most"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "1ms", "1m", "1h30m", "2d", "1d1h1m1s1ms"])
def test_the_spelling_of_a_duration_reads_back_as_the_same(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


def test_inside_it_is_milliseconds_and_at_the_edges_seconds() -> None:
    assert (milliseconds(timedelta(seconds=1.5)), whole_seconds(timedelta(minutes=2))) == (1500, 120)

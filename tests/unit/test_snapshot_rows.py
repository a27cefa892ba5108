"""Which KPI rows a snapshot shows, and how values look."""

from __future__ import annotations

import pytest

from stream_app.snapshots.rows import Choice, Row, choose, parse_group, seconds_words, value_words


def row(kpi: str, window: str = "30m", **group: str) -> Row:
    return {"kpi": kpi, "window": window, "group": group, "value": 1}


ROWS = [
    row("opened"),
    row("opened", "today"),
    row("opened", queue="billing"),
    row("opened", queue="tech"),
    row("opened", queue="billing", channel="phone"),
    row("fcr", "28d"),
    row("fcr", "7d"),
    row("csat", "7d", route="email"),
    row("watermark", "now"),
]


def shown(choice: Choice) -> list[tuple[str, str, dict[str, str]]]:
    return [(each["kpi"], each["window"], each["group"]) for each in choose(ROWS, choice)]


def test_without_a_choice_every_kpi_stands_in_total_for_its_first_window() -> None:
    assert shown(Choice()) == [("csat", "7d", {"route": "email"}), ("fcr", "7d", {}), ("opened", "30m", {})]


def test_a_grouping_shows_its_own_rows_and_no_finer_ones() -> None:
    found = shown(Choice(group=parse_group(["queue"])))
    assert found == [("opened", "30m", {"queue": "billing"}), ("opened", "30m", {"queue": "tech"})]


def test_a_value_narrows_the_grouping() -> None:
    found = shown(Choice(group=parse_group(["channel", "queue=billing"])))
    assert found == [("opened", "30m", {"queue": "billing", "channel": "phone"})]


def test_names_may_hold_a_star_and_windows_be_named() -> None:
    assert shown(Choice(kpis=("open*",), windows=("today",))) == [("opened", "today", {})]


def test_everything_leaves_out_only_what_is_no_kpi() -> None:
    assert len(shown(Choice(everything=True))) == len(ROWS) - 1


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, "ratio", "n/a"),
        (0, "contacts", "0"),
        (0.8304, "ratio", "83.0 %"),
        (1234567, "cases", "1,234,567"),
        (3.25, "score", "3.25"),
        (200, "seconds", "3 m 20 s"),
    ],
)
def test_values_are_written_for_people(value: float | None, unit: str, words: str) -> None:
    assert value_words(value, unit) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (60, "1 m 0 s"), (3600, "1 h 0 m"), (86_399, "23 h 59 m"), (190_000, "2 d 4 h"), (-90, "-1 m 30 s")],
)
def test_durations_have_two_units_at_most(seconds: float, words: str) -> None:
    assert seconds_words(seconds) == words

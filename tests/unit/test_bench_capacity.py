"""The arithmetic behind docs/explanation/scaling.md, on figures that can be checked in the head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.capacity import text, update_page
from bench.capacity_model import CHANGELOGS, FOR_OTHERS, INPUTS, LOGS, Assumed, Measured, greatest, interpolated, limits, needs, rollup
from bench.traffic import changed_panes

TOPICS = (*INPUTS, *LOGS, *FOR_OTHERS, *CHANGELOGS)
FIGURES: dict[str, Any] = {
    "machine": {"cpu": "a processor", "cores": "2"},
    "floor": [{"events": 1_000, "seconds": 1.0, "cpu_seconds": 0.1, "peak_mib": 50.0}],
    "whole_job": [{"events": 1_000, "seconds": 1.0, "cpu_seconds": 0.1, "peak_mib": 150.0}],  # 100 µs an event
    "recovery": {"records": 1_000, "seconds": 0.01},
    "topics": {name: {"records": 1_000, "bytes": 100_000} for name in TOPICS} | {"kpis": {"records": 10, "bytes": 1_000}},
    "cases": 100,  # a case every ten events, 1 MiB each
    "panes": {
        "fast": [[100.0, 50], [200.0, 80], [1_000.0, 80]],
        "slow": [[400.0, 90], [800.0, 100]],
        "others": 2.0,
        "cells": 40,
        "kpi_keys": 20,
        "bytes_per_record": 100.0,
        "publish_interval": 0.5,
        "checkpoint_interval": 1.0,
        "read_seconds_per_record": 1e-5,
        "publish_seconds": 0.01,
    },
}
MEASURED = Measured.of(FIGURES)
ASSUMED = Assumed(utilisation=0.5, partitions_per_worker=1, worker_memory_gib=1, horizon_days=1, replication=3, broker_bytes_per_second=1e8)


@pytest.mark.parametrize(("events", "panes"), [(50, 25), (100, 50), (150, 65), (500, 80), (5_000, 80)])
def test_panes_between_two_measured_points_lie_on_the_line_and_beyond_the_last_it_goes_on(events: float, panes: float) -> None:
    assert interpolated(MEASURED.fast, events) == panes


def test_workers_follow_the_cost_of_an_event_and_how_busy_a_core_may_be() -> None:
    """100 µs at 50,000 events/s are 5 cores, at half load 10."""
    assert needs(50_000, MEASURED, ASSUMED).workers == 10
    assert needs(50_001, MEASURED, ASSUMED).workers == 11


def test_rollup_receives_changed_panes_and_not_events() -> None:
    """4 partitions: 1,600 events/s are 200 events each in 0.5 s, which change 80 fast panes, and 400 in 1 s, which change 90 slow ones."""
    records, cores = rollup(1_600, 4, MEASURED)
    assert records == 4 * (80 / 0.5 + 90 / 1.0 + 2.0)
    assert cores == pytest.approx(records * 1e-5 + 0.01 / 0.5)
    assert rollup(3_200, 4, MEASURED)[0] == 4 * (80 / 0.5 + 100 / 1.0 + 2.0)
    assert rollup(400, 4, MEASURED)[0] == 4 * (25 / 0.5 + 22.5 / 1.0 + 2.0)


def test_bytes_are_those_of_an_event_times_the_rate_and_panes_those_of_rollup() -> None:
    found = needs(10_000, MEASURED, ASSUMED)
    assert found.written["events"] == 1e6
    assert found.written["panes"] == found.pane_records * 100
    assert found.written["kpis"] == 20 / 0.5 * 100
    assert found.written_together == 1e6 * len(TOPICS) + found.written["panes"] + found.written["kpis"]


def test_changelogs_are_read_only_to_recover() -> None:
    assert not set(CHANGELOGS) & set(needs(10_000, MEASURED, ASSUMED).read)


def test_memory_follows_cases_within_the_horizon_spread_over_the_workers() -> None:
    """1,000 cases/s for a day on 2 workers, 1 MiB each."""
    found = needs(10_000, MEASURED, ASSUMED)
    assert found.workers == 2
    assert found.memory_per_worker == 1_000 * 86_400 / 2 * 2**20


def test_disk_is_what_retention_keeps_of_each_replica() -> None:
    kept = 3 * 7 + 2 * 42 + 2 * 42  # inputs a week; two logs, case events and SLA events with the horizon
    assert needs(10_000, MEASURED, ASSUMED).disk == 1e6 * 86_400 * kept * 3


def test_the_greatest_rate_at_which_something_holds() -> None:
    assert greatest(lambda rate: rate <= 123_456) == pytest.approx(123_456, rel=0.002)
    assert greatest(lambda _: False) == 0.0


def test_the_limit_of_rollup_is_where_its_core_is_as_busy_as_allowed() -> None:
    at = next(rate for what, rate, _ in limits(MEASURED, ASSUMED) if "Rollup" in what)
    assert needs(at * 0.95, MEASURED, ASSUMED).rollup_cores <= 0.5
    assert needs(at * 1.05, MEASURED, ASSUMED).rollup_cores > 0.5


def test_what_ends_first_stands_first() -> None:
    rates = [rate for _, rate, _ in limits(MEASURED, ASSUMED)]
    assert rates == sorted(rates)


def test_figures_of_a_partial_run_are_refused_with_what_is_missing() -> None:
    with pytest.raises(ValueError, match="the figures have no recovery, panes"):
        Measured.of({**FIGURES, "panes": None, "recovery": None})


def test_the_page_is_changed_between_its_markers_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- CAPACITY begin -->\nold\n<!-- CAPACITY end -->\nafter\n")
    update_page(text(1_000_000, MEASURED, ASSUMED), page)
    begin, *middle, end = page.read_text().splitlines()
    assert (begin, end) == ("before", "after")
    assert "| At 1,000,000 events/s | Needed | Computed from |" in middle
    assert "old" not in middle
    update_page("new\n", page)
    assert page.read_text().count("CAPACITY") == 2
    page.write_text("nothing")
    with pytest.raises(ValueError, match="no CAPACITY markers"):
        update_page("new\n", page)


def test_changed_panes_are_the_most_different_keys_of_any_stretch() -> None:
    """
    S     0    0.25  0.5   0.75  1.0  1.25  1.5
    key   a    a     a     b     c    c     d
    0.5 s [ a       ][ a b      ][ c       ]        most 2
    1 s   [ a b                 ]                   most 2
    """
    stamped = [(0.0, b"a"), (0.25, b"a"), (0.5, b"a"), (0.75, b"b"), (1.0, b"c"), (1.25, b"c"), (1.5, b"d")]
    assert changed_panes(stamped, events_per_second=100) == [(50.0, 2), (100.0, 2)]
    assert changed_panes([], events_per_second=100) == []

"""Erlang A against what is known of its limits."""

from __future__ import annotations

import pytest

from stream_app.feeds.simulator.staffing import abandonment, seats_for


def test_customers_without_patience_are_the_blocked_ones_of_erlang_b() -> None:
    assert abandonment(10, 12, 1e-6) == pytest.approx(0.1197, abs=0.0002)


def test_customers_with_endless_patience_leave_only_what_can_not_be_served() -> None:
    assert abandonment(10, 12, 1e4) < 0.001
    assert abandonment(20, 10, 1e3) == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("load", [0.3, 2, 15, 120, 900])
def test_whole_numbers_around_the_seats_meet_the_target_on_average(load: float) -> None:
    seats = seats_for(load, 0.7, 0.05)
    if seats == 1:
        assert abandonment(load, 1, 0.7) <= 0.05
        return
    low, share = int(seats), seats % 1
    mean = (1 - share) * abandonment(load, low, 0.7) + share * abandonment(load, low + 1, 0.7)
    assert mean == pytest.approx(0.05, abs=1e-6)


def test_nobody_needs_less_than_one_seat() -> None:
    assert seats_for(0, 0.7, 0.05) == 1

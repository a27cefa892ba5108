"""What keeps a worker from starting, and how it ends itself."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from stream_app.app import log_partitions_problem
from stream_app.engine.failure import ExitCode, FailStop, RefusalError
from stream_app.engine.reading import LogRange
from stream_app.engine.topics import check_partition_counts
from stream_app.engine.watchdog import Watchdog
from stream_app.settings import Settings
from tests.support.waiting import eventually_async

CASES: Any = SimpleNamespace(log="events", changelog="cases-changelog")


def test_equal_partition_counts_are_fine() -> None:
    check_partition_counts({"events": 4, "cases-changelog": 4}, [CASES])


def test_different_partition_counts_are_refused_in_plain_words() -> None:
    with pytest.raises(RefusalError, match="events has 4 partitions but cases-changelog has 8"):
        check_partition_counts({"events": 4, "cases-changelog": 8}, [CASES])


COUNTS = {"events": 4, "cases-changelog": 4, "customer-log": 4, "customers-changelog": 4}


@pytest.mark.parametrize(
    ("differing", "expected"),
    [
        ({}, ""),
        ({"events": 3}, "set kafka.log_partitions = 3"),
        ({"cases-changelog": 3}, "events has 4 partitions but cases-changelog has 3: they must be equal"),
        ({"customers-changelog": 8}, "customer-log has 4 partitions but customers-changelog has 8: they must be equal"),
    ],
)
def test_counts_are_compared_before_anything_is_read(differing: dict[str, int], expected: str) -> None:
    problem = log_partitions_problem(Settings(), COUNTS | differing)
    assert expected in problem
    assert bool(problem) is bool(expected)


@pytest.mark.parametrize(("offset", "held"), [(9, False), (10, True), (15, True), (20, True), (21, False)])
def test_reading_may_start_anywhere_up_to_the_end_of_what_a_log_holds(offset: int, held: bool) -> None:
    assert LogRange(10, 20).holds(offset) is held


def test_only_the_first_failure_is_logged_and_decides_the_exit_code(caplog: pytest.LogCaptureFixture) -> None:
    codes: list[int] = []
    fail = FailStop(codes.append)
    with caplog.at_level(logging.CRITICAL):
        fail("first", ExitCode.FAILED, OSError("disk"))
        fail("second", ExitCode.STALLED)

    assert codes == [70]
    assert [record.message for record in caplog.records] == ["worker stops (exit 70): first: OSError: disk"]


async def test_the_watchdog_ends_a_worker_whose_parts_stand_still() -> None:
    codes: list[int] = []
    watchdog = Watchdog(FailStop(codes.append), timeout=0.2, stalled=lambda: "nothing was fetched")

    watchdog.start()

    async def ended() -> list[int]:
        return codes

    assert await eventually_async(ended, within_seconds=2) == [ExitCode.STALLED]
    watchdog.stop()

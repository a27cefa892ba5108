"""Several workers on one machine: ports, warnings, and what the end of one means for all."""

from __future__ import annotations

import signal
import sys

import pytest

from stream_app.engine import ExitCode
from stream_app.settings import parse_settings
from stream_app.supervision.plan import NoPortError, ending, exit_code, metrics_ports, warnings
from stream_app.supervision.workers import worker_members


def test_each_worker_has_the_metrics_port_after_that_of_the_one_before() -> None:
    assert metrics_ports(9464, 3) == [9464, 9465, 9466]


def test_port_0_stays_0_so_that_each_takes_a_free_one() -> None:
    assert metrics_ports(0, 2) == [0, 0]


def test_the_last_port_can_be_used_and_none_after_it() -> None:
    assert metrics_ports(65_534, 2) == [65_534, 65_535]
    with pytest.raises(NoPortError, match=r"metrics\.port is 65534, and 3 workers"):
        metrics_ports(65_534, 3)


def test_as_many_processes_as_partitions_and_cores_need_no_warning() -> None:
    assert list(warnings(4, log_partitions=4, cores=4)) == []


@pytest.mark.parametrize(("log_partitions", "cores", "word"), [(4, 8, r"kafka.log_partitions is 4"), (8, 4, "on 4 cores")])
def test_more_processes_than_partitions_or_cores_are_warned_of(log_partitions: int, cores: int, word: str) -> None:
    (warning,) = warnings(5, log_partitions, cores)
    assert word in warning


@pytest.mark.parametrize(
    ("returncode", "asked", "expected"),
    [
        (0, True, ExitCode.CLEAN),
        (-signal.SIGTERM, True, ExitCode.CLEAN),  # before it had begun
        (-signal.SIGKILL, True, ExitCode.FAILED),
        (ExitCode.REFUSED, True, ExitCode.REFUSED),
        (ExitCode.STALLED, False, ExitCode.STALLED),
        (ExitCode.OFFSET_OUT_OF_RANGE, False, ExitCode.OFFSET_OUT_OF_RANGE),
        (0, False, ExitCode.FAILED),  # the others would have too much to do
        (-signal.SIGTERM, False, ExitCode.FAILED),
        (-signal.SIGKILL, False, ExitCode.FAILED),
    ],
)
def test_the_end_of_one_worker_decides_the_exit_code_of_all(returncode: int, asked: bool, expected: int) -> None:
    assert exit_code(returncode, asked=asked) == expected


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(78, "ended with exit code 78"), (-9, "was killed by SIGKILL"), (-99, "was killed by signal 99")],
)
def test_an_end_in_words(returncode: int, words: str) -> None:
    assert ending(returncode) == words


def test_every_worker_runs_the_same_command_with_its_number_and_address() -> None:
    members = worker_members(parse_settings('[metrics]\nhost = "::1"\nport = 9500'), 2)
    assert [member.command for member in members] == [
        (sys.executable, "-m", "stream_app.cli", "worker", "--member", number) for number in ("0", "1")
    ]
    assert [member.environment for member in members] == [{"DESKPULSE_METRICS__PORT": port} for port in ("9500", "9501")]
    assert members[1].about == "metrics on http://[::1]:9501/metrics"


def test_a_free_port_is_not_promised_before_it_is_known() -> None:
    (member,) = worker_members(parse_settings("[metrics]\nport = 0"), 1)
    assert member.about == "metrics on a free port, which it names itself"

"""What is decided about several workers on one machine before and after they run; nothing here starts or asks anything."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from stream_app.engine import ExitCode

LAST_PORT = 65_535


class NoPortError(Exception):
    """The ports for metrics would run past the last one; the message says what to change."""


def metrics_ports(first: int, processes: int) -> list[int]:
    """The metrics port of each worker: ``first`` and those after it. 0 stays 0, a free one for each.

    Raises ``NoPortError``.
    """
    if first == 0:
        return [0] * processes
    if first + processes - 1 > LAST_PORT:
        raise NoPortError(
            f"metrics.port is {first}, and {processes} workers need {processes} ports from there on, past the last one ({LAST_PORT}):"
            f" choose a smaller one, or 0 for free ones"
        )
    return list(range(first, first + processes))


def warnings(processes: int, log_partitions: int, cores: int) -> Iterator[str]:
    """Why so many workers do not pay, in words."""
    if processes > log_partitions:
        yield (
            f"{processes} processes, but kafka.log_partitions is {log_partitions}: no more than that can share Cases and Customers, the"
            f" others stand by. The count is fixed once the topics exist"
        )
    if processes > cores:
        yield f"{processes} processes on {cores} cores: they take turns, and each needs memory of its own"


def exit_code(returncode: int, *, asked: bool) -> int:
    """What the end of one worker means for all of them: 0, or the code to end with.

    A worker that ends without having been ``asked`` leaves the others with too much to do, whatever it says itself; one
    that was killed has lost nothing: both are worth a new start. A SIGTERM that is not caught comes from a worker that was asked
    before it had begun.
    """
    if returncode > 0:
        return returncode
    if asked and returncode in {0, -signal.SIGTERM}:
        return ExitCode.CLEAN
    return ExitCode.FAILED


def ending(returncode: int) -> str:
    """How a process ended, in words."""
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was killed by signal {-returncode}"

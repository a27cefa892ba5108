"""What is said of a contender that failed."""

from __future__ import annotations

import pytest

from bench.peers.running import last_error


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", "without a word"),
        ("starting\n\nstopped\n", "stopped"),
        ("Traceback …\nValueError: no such topic\ntask: <Task pending>\n", "ValueError: no such topic"),
        ("cimpl.KafkaException: a | b\n", "cimpl.KafkaException: a / b"),
        ("RuntimeError: " + "x" * 1000, "RuntimeError: " + "x" * 106),
    ],
)
def test_the_last_named_error_is_the_reason_in_one_short_line(log: str, said: str) -> None:
    assert last_error(log) == said

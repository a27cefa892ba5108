"""Waiting for a condition with a deadline, in place of a sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_SECONDS = 0.02


def eventually(condition: Callable[[], T], *, within_seconds: float = 10.0, what: str = "the condition") -> T:
    """Call until the answer is truthy and return it. Fails the test after the deadline."""
    deadline = time.monotonic() + within_seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_too_late(what, within_seconds, answer))
        time.sleep(PAUSE_SECONDS)
    return answer


async def eventually_async(
    condition: Callable[[], Awaitable[T]], *, within_seconds: float = 10.0, what: str = "the condition"
) -> T:
    """``eventually`` for a coroutine function."""
    deadline = time.monotonic() + within_seconds
    while not (answer := await condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_too_late(what, within_seconds, answer))
        await asyncio.sleep(PAUSE_SECONDS)
    return answer


def _too_late(what: str, within_seconds: float, answer: object) -> str:
    return f"{what} did not come within {within_seconds} s; last seen: {answer!r}"

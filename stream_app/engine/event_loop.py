"""The event loop of a worker's two threads: uvloop, or Python's own where there is no uvloop (Windows)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

Result = TypeVar("Result")

__all__ = ["new_event_loop", "run"]


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """``asyncio.run`` on such a loop."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)

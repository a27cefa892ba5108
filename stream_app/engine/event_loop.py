"""The event loop of a worker's two threads: uvloop, or Python's own where there is no uvloop (Windows)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment]

Result = TypeVar("Result")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that is not set as that of any thread."""
    return asyncio.new_event_loop() if uvloop is None else uvloop.new_event_loop()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """``asyncio.run`` on such a loop."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)

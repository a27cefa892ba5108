"""Running something asynchronous that SIGTERM ends as Ctrl-C does: in order, with everything closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_stoppable(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` for the main thread. SIGTERM cancels the work; then, as after Ctrl-C, ``KeyboardInterrupt`` is raised."""
    before = signal.getsignal(signal.SIGTERM)

    async def until_signal() -> T:
        task = asyncio.create_task(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(until_signal())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGTERM, before)

"""Waiting inside a running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float | None = None, pause: float = 0.05) -> None:
    """Ask again and again until the answer is yes. Raises ``TimeoutError``."""
    async with asyncio.timeout(within):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(pause)

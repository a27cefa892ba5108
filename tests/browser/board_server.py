"""The real web server of the board on a free loopback port, fed by a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from stream_app.board.options import BoardOptions
from stream_app.board.server import create_board
from tests.browser.board_feed import FakeFeed

FAST = {"frame_seconds": 0.05, "beat_seconds": 0.5}


@asynccontextmanager
async def serving(feed: FakeFeed, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """Address of a running board (``http://127.0.0.1:PORT``); quicker frames than in production unless asked otherwise."""
    runner = web.AppRunner(create_board(BoardOptions(**{**FAST, **options}), feed), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()

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
async def running(feed: FakeFeed, port: int = 0, **options: Any) -> AsyncIterator[tuple[web.Application, str]]:
    """A running board and its address; quicker frames than in production unless asked otherwise."""
    app = create_board(BoardOptions(**{**FAST, **options}), feed)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield app, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(feed: FakeFeed, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """The address alone."""
    async with running(feed, port, **options) as (_, url):
        yield url

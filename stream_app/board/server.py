"""The board's web server: the page, the same numbers as JSON, and the event stream.

/               the page                       /events        frames by SSE
/api/snapshot   everything a page shows        /api/kpis      rows of the kpis topic, filtered
/api/sla        next to breach, breaches       /healthz       200 once caught up and connected
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from stream_app.board.access import add_security_headers, gate, refuse_open_board
from stream_app.board.feed import BoardFeed
from stream_app.board.hub import Hub
from stream_app.board.options import BoardOptions
from stream_app.board.state import GROUPING_DIMENSIONS, Group
from stream_app.board.stream import EventStreams

STATIC: Final = Path(__file__).with_name("static")
HUB: Final = web.AppKey("hub", Hub)
STREAMS: Final = web.AppKey("streams", EventStreams)
FEED: Final = web.AppKey("feed", BoardFeed)
TASKS: Final = web.AppKey("tasks", list[asyncio.Task[None]])


def create_board(
    options: BoardOptions,
    feed: BoardFeed,
    *,
    wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    monotonic: Callable[[], float] = time.monotonic,
) -> web.Application:
    """The whole board as an aiohttp application. Raises ``BoardRefusedError`` before anything is opened."""
    refuse_open_board(options)
    app = web.Application(middlewares=[gate(options)])
    app.on_response_prepare.append(add_security_headers)
    app[HUB] = Hub(options, wall, monotonic)
    app[STREAMS] = EventStreams(app[HUB], options)
    app[FEED] = feed
    app[TASKS] = []
    app.cleanup_ctx.append(_run_hub)
    app.on_shutdown.append(_end_streams)
    app.router.add_get("/", _page)
    app.router.add_get("/events", _events)
    app.router.add_get("/api/snapshot", _snapshot)
    app.router.add_get("/api/kpis", _kpis)
    app.router.add_get("/api/sla", _sla)
    app.router.add_get("/healthz", _healthz)
    app.router.add_static("/static", STATIC)
    return app


async def run_board(options: BoardOptions, feed: BoardFeed, *, started: Callable[[int], object] = lambda _port: None) -> None:
    """Serve until cancelled; ``started`` gets the port. Raises ``BoardRefusedError`` or ``OSError`` (address in use) at once.

    What escapes from the feed ends the board: a page without a feed would only show old numbers.
    """
    app = create_board(options, feed)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        started(int(runner.addresses[0][1]))
        tasks = app[TASKS]
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        await runner.cleanup()


async def _run_hub(app: web.Application) -> AsyncIterator[None]:
    hub, tasks = app[HUB], app[TASKS]
    tasks.extend(asyncio.create_task(work) for work in (hub.consume(app[FEED]), hub.publish()))
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _end_streams(app: web.Application) -> None:
    app[STREAMS].close()


async def _page(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html")


async def _events(request: web.Request) -> web.StreamResponse:
    last = request.headers.get("Last-Event-ID") or request.query.get("last", "")
    return await request.app[STREAMS].serve(request, requested_group(request), last)


async def _snapshot(request: web.Request) -> web.Response:
    return _json(request.app[HUB].snapshot(requested_group(request)))


async def _kpis(request: web.Request) -> web.Response:
    """Rows of every group, or of ``group=``, narrowed by ``kpi=`` and ``window=``."""
    hub = request.app[HUB]
    rows: list[dict[str, Any]] = []
    if hub.caught_up:
        rows = hub.state.rows(requested_group(request)) if "group" in request.query else hub.state.all_rows()
    for name in ("kpi", "window"):
        if name in request.query:
            wanted = set(request.query.getall(name))
            rows = [row for row in rows if row[name] in wanted]
    return _json({"status": hub.status(), "pipeline": hub.pipeline(), "rows": rows})


async def _sla(request: web.Request) -> web.Response:
    state = request.app[HUB].state
    return _json(
        {
            "clock": state.pipeline.clock,
            "next_to_breach": state.next_to_breach,
            "alerts": state.breaches.alerts(state.pipeline.clock),
            "breaches": state.breaches.latest(),
        }
    )


async def _healthz(request: web.Request) -> web.Response:
    hub = request.app[HUB]
    return _json(hub.status(), status=200 if hub.healthy else 503)


def requested_group(request: web.Request) -> Group:
    """The groups asked for by ``group=dimension:value``, once per dimension; ``group=`` is everything.

    Raises ``HTTPBadRequest`` for a dimension that no grouping has.
    """
    group: dict[str, str] = {}
    for text in request.query.getall("group", []):
        name, separator, value = text.partition(":")
        if not text:
            continue
        if not separator or name not in GROUPING_DIMENSIONS:
            expected = ", ".join(sorted(GROUPING_DIMENSIONS))
            raise web.HTTPBadRequest(text=f"group must be DIMENSION:VALUE with one of {expected}.")
        group[name] = value
    return tuple(sorted(group.items()))


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")

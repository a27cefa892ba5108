"""The event stream: one coroutine per client, and no memory held for a client that does not read."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from aiohttp import web

from stream_app.board.hub import Hub
from stream_app.board.options import BoardOptions
from stream_app.board.state import Group

RETRY_MS: Final = 2_000
SEND_BUFFER_BYTES: Final = 256 * 1024
WRITE_BUFFER_BYTES: Final = 64 * 1024


class EventStreams:
    """Serves ``/events``. At most ``clients`` at a time; who takes nothing for ``write_timeout_seconds`` is dropped."""

    def __init__(self, hub: Hub, options: BoardOptions) -> None:
        self._hub = hub
        self._options = options
        self._tasks: set[asyncio.Task[object]] = set()
        self.dropped = 0

    @property
    def connected(self) -> int:
        return len(self._tasks)

    async def serve(self, request: web.Request, group: Group, last_event_id: str) -> web.StreamResponse:
        """Snapshot or resume, then differences until the client leaves, is dropped, or the server closes."""
        if self.connected >= self._options.clients:
            raise web.HTTPServiceUnavailable(text="Too many boards are open.", headers={"Retry-After": "10"})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"})
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await response.prepare(request)
            _limit_buffers(request)
            await self._send_frames(request, response, group, last_event_id)
        except ConnectionError:
            pass  # the client left; nothing is owed to it
        finally:
            self._tasks.discard(task)
        return response

    def close(self) -> None:
        """End every stream, so that a shutdown need not wait for clients."""
        for task in self._tasks:
            task.cancel()

    async def _send_frames(self, request: web.Request, response: web.StreamResponse, group: Group, last_event_id: str) -> None:
        hub = self._hub
        await self._write(request, response, b"retry: %d\n\n" % RETRY_MS)
        boot, seq = hub.boot, hub.resume_point(last_event_id)
        if seq is None:
            seq, frame = hub.snapshot_frame(group)
            await self._write(request, response, frame)
        while True:
            await hub.wait_for_frame(seq, self._options.beat_seconds)
            if hub.boot != boot:
                boot = hub.boot
                seq, frame = hub.snapshot_frame(group)
            elif hub.state.seq > seq:
                seq, frame = hub.delta_frame(group, seq)
            else:
                frame = hub.beat_frame(seq)
            await self._write(request, response, frame)

    async def _write(self, request: web.Request, response: web.StreamResponse, frame: bytes) -> None:
        try:
            async with asyncio.timeout(self._options.write_timeout_seconds):
                await response.write(frame)
        except TimeoutError:
            self.dropped += 1
            if request.transport is not None:
                request.transport.abort()
            message = "the client takes nothing"
            raise ConnectionResetError(message) from None


def _limit_buffers(request: web.Request) -> None:
    """Cap what the kernel and the transport hold for one client; a gone peer is found by keep-alive probes."""
    transport = request.transport
    if transport is None:
        return
    if isinstance(transport, asyncio.WriteTransport):
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

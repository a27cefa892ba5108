"""A TCP proxy on the loopback interface that can be cut, stalled, slowed down and reset while connections run through it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
CHUNK = 64 * 1024
MOST_UNDERWAY = 64
"""Chunks of a direction that are on their way."""


class Proxy:
    """Forwards ``port`` to ``target_port``. All attributes may be changed at any time and hold from the next chunk on.

    ``latency``: seconds before a chunk is passed on, each way. ``bytes_per_second``: of each connection towards clients
    or servers, None for no limit. ``bytes_per_second_up``: of each connection towards servers only, where both are given the lesser.
    """

    def __init__(self, port: int, target_port: int) -> None:
        self.port = port
        self.target_port = target_port
        self.latency = 0.0
        self.bytes_per_second: float | None = None
        self.bytes_per_second_up: float | None = None
        self.connections_made = 0
        self._open = True
        self._moving = asyncio.Event()
        self._moving.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cut()
        self._moving.set()
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """Close every connection and every new one at once."""
        self._open = False
        self._drop()

    def mend(self) -> None:
        """After ``cut``: new connections work again."""
        self._open = True

    def stall(self) -> None:
        """Keep connections open and pass nothing on."""
        self._moving.clear()

    def go_on(self) -> None:
        """After ``stall``: what was held back goes on its way."""
        self._moving.set()

    def reset(self) -> None:
        """End every connection with a reset (RST), as a firewall that has forgotten them does. New ones work."""
        self._drop(reset=True)

    def _drop(self, *, reset: bool = False) -> None:
        for writer in list(self._writers):
            if reset:
                plain: socket.socket | None = writer.get_extra_info("socket")
                if plain is not None:
                    with contextlib.suppress(OSError):
                        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        self.connections_made += 1
        try:
            up_reader, up_writer = await asyncio.open_connection(HOST, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, up_writer}
        try:
            await asyncio.gather(self._pass_on(reader, up_writer, up=True), self._pass_on(up_reader, writer, up=False))
        finally:
            self._writers -= {writer, up_writer}

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        """What was read at one moment is written when its latency is over, however much is on its way."""
        underway: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(MOST_UNDERWAY)
        writing = asyncio.create_task(self._write(underway, writer, up=up))
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await underway.put((time.monotonic() + self.latency, chunk))
        await underway.put((0.0, b""))
        await writing

    def _room(self, size: int, *, up: bool) -> float:
        """Seconds that a chunk takes at the least of the limits."""
        limits = [limit for limit in (self.bytes_per_second, self.bytes_per_second_up if up else None) if limit]
        return size / min(limits) if limits else 0.0

    async def _write(self, underway: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, *, up: bool) -> None:
        broken = False
        while (found := await underway.get())[1]:
            due, chunk = found
            await asyncio.sleep(max(self._room(len(chunk), up=up), due - time.monotonic(), 0.0))
            await self._moving.wait()
            if not broken:
                try:
                    writer.write(chunk)
                    await writer.drain()
                except OSError:
                    broken = True
        writer.transport.close()

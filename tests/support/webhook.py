"""A receiver of Alertmanager's webhooks that remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

import orjson

from stream_app.brokers.loopback import HOST


class Told(NamedTuple):
    """One alert of one message. ``path`` is where it was sent to, ``status`` is ``firing`` or ``resolved``."""

    path: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Inbox:
    """Everything told so far, in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[Told] = []

    def take(self, path: str, message: bytes) -> None:
        self.told += [
            Told(path, alert["status"], alert["labels"], alert["annotations"]) for alert in orjson.loads(message)["alerts"]
        ]

    def about(self, alert: str, status: str) -> list[Told]:
        return [told for told in self.told if told.labels["alertname"] == alert and told.status == status]

    def names(self, status: str) -> set[str]:
        return {told.labels["alertname"] for told in self.told if told.status == status}


@contextmanager
def webhook() -> Iterator[Inbox]:
    """Listens on a free loopback port inside the block."""
    server = _Server()
    serving = Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield server.inbox
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.inbox = Inbox(f"{HOST}:{self.server_port}")


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.server.inbox.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: the inbox remembers."""

"""Questions to a local web server, and to the machine for a port."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import urllib.request

from stream_app.brokers.loopback import HOST, free_ports

_PATIENCE_SECONDS = 1.0


def port_or_free(preferred: int) -> int:
    """``preferred`` if nobody listens there, else a port that is free; 0 means any."""
    if preferred == 0:
        return free_ports(1)[0]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, preferred))
        except OSError:
            return free_ports(1)[0]
    return preferred


def answer(url: str) -> tuple[int, str]:
    """Status and text of a GET; ``(0, reason)`` when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_SECONDS) as response:  # noqa: S310 - our own http address
            return response.status, response.read(10_000).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(10_000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)

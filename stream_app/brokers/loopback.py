"""Ports on 127.0.0.1, and the question whether a Kafka broker serves on one."""

from __future__ import annotations

import random
import socket
import struct

from stream_app.brokers import BrokerError, BrokerStartError

HOST = "127.0.0.1"

FIRST_PORT, LAST_PORT = 20_000, 32_000
"""Below the range from which Linux takes the ports of outgoing connections (32768 up): a broker that is down for a
while, to be restarted on its port, does not lose it to somebody's client socket."""

METADATA_REQUEST = struct.pack(">hhih", 3, 4, 1, -1) + struct.pack(">ib", 0, 0)
"""Metadata v4, correlation id 1, no client id, no topics, no automatic creation: both brokers answer it."""


def free_ports(count: int) -> list[int]:
    """Distinct ports nobody listens on now. Raises ``BrokerError`` when there are none."""
    found: list[int] = []
    for port in random.sample(range(FIRST_PORT, LAST_PORT), 500):
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    message = f"No {count} free ports between {FIRST_PORT} and {LAST_PORT} on {HOST}."
    raise BrokerError(message)


def require_free(port: int) -> None:
    """Raises ``BrokerStartError`` if somebody listens there: without this another broker's answer would be taken for ours."""
    if not _is_free(port):
        message = f"Port {port} on {HOST} is in use, perhaps by another broker. Stop it, or choose another port."
        raise BrokerStartError(message)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def known_brokers(port: int) -> int:
    """How many brokers the one on this port names in its metadata: 0 while nothing listens or it is not in service yet."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.settimeout(2.0)
            connection.sendall(struct.pack(">i", len(METADATA_REQUEST)) + METADATA_REQUEST)
            answer = connection.makefile("rb").read(4 + 12)
    except OSError:
        return 0
    if len(answer) < 16:  # noqa: PLR2004 - size, correlation id, throttle time, length of the array
        return 0
    _size, _correlation, _throttle, brokers = struct.unpack(">iiii", answer)
    return int(brokers)

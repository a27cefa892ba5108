"""Where an input message stood."""

from __future__ import annotations


class Position:
    """The message's bytes, its Kafka timestamp (ms, negative if it has none) and its ``topic-partition@offset``."""

    __slots__ = ("content", "origin", "timestamp")

    def __init__(self, content: bytes, timestamp: int, origin: str) -> None:
        self.content = content
        self.timestamp = timestamp
        self.origin = origin

"""Recovery: the newest version of every key of a changelog, forward only.

The greater fence wins wherever it stands, so what a zombie wrote late is harmless. Every value begins with its
fence as eight bytes, big-endian, so that versions are compared without being decoded; nothing after it means
deleted.
"""

from __future__ import annotations

from typing import Final

from models.durability.fence import Fence

FENCE_BYTES: Final = 8
MARKER: Final = b"m"
PANE: Final = b"p"
ROW: Final = b"r"


class CorruptChangelogError(Exception):
    """A changelog record that nothing of ours wrote: stop, state can't be trusted. ``state rebuild`` is the way out."""


def seal(fence: Fence, payload: bytes) -> bytes:
    """A changelog value."""
    return fence.to_bytes(FENCE_BYTES, "big") + payload


def fence_of(value: bytes) -> Fence:
    """The fence of a changelog value."""
    return int.from_bytes(value[:FENCE_BYTES], "big")


class Merge:
    """Newest value per key. A tombstone, which has no fence, removes a deletion and nothing else: a zombie's may come late."""

    def __init__(self) -> None:
        self.marker: bytes | None = None
        self.panes: dict[bytes, bytes] = {}
        self.rows: dict[bytes, bytes] = {}

    def absorb(self, key: bytes, value: bytes | None) -> None:
        """Merge one record. Raises ``CorruptChangelogError`` for a key or value of no known form."""
        kind = key[:1]
        if value is not None and len(value) < FENCE_BYTES:
            raise CorruptChangelogError(_message(key, "is shorter than a fence"))
        if kind == MARKER:
            if value is not None and (self.marker is None or value[:FENCE_BYTES] > self.marker[:FENCE_BYTES]):
                self.marker = value
            return
        if kind not in {PANE, ROW}:
            raise CorruptChangelogError(_message(key, "has a key of no known kind"))
        newest = self.panes if kind == PANE else self.rows
        known = newest.get(key)
        if value is None:
            if known is not None and len(known) == FENCE_BYTES:
                del newest[key]
            return
        if known is None or value[:FENCE_BYTES] > known[:FENCE_BYTES]:
            newest[key] = value


def _message(key: bytes, what: str) -> str:
    return f"changelog record {key[:80]!r} {what}; the state cannot be trusted. Make it again with `deskpulse state rebuild`"

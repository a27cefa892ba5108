"""Recovery: the newest version of every key of a changelog, forward only.

The greater fence wins wherever it stands, so what a zombie wrote late is harmless. Every value begins with its
fence as eight bytes, big-endian, so that versions are compared without being decoded; nothing after it means
deleted.

    row, pane, marker, garbage … │ begin, epoch 1 │ rows and panes, epoch 1 … marker, epoch 1 … row, epoch 0 (a zombie)
            void                 │                │              the state                       ignored
"""

from __future__ import annotations

from typing import Final

from models.durability.fence import Fence

FENCE_BYTES: Final = 8
MARKER: Final = b"m"
PANE: Final = b"p"
ROW: Final = b"r"
BEGIN: Final = b"b"
"""Key of the record that begins a rebuild. Its fence names the epoch; what stands before it, and what is of an earlier epoch, is void."""


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
        self._began = b""
        self._forget_everything()

    def _forget_everything(self) -> None:
        self.marker: bytes | None = None
        self.panes: dict[bytes, bytes] = {}
        self.rows: dict[bytes, bytes] = {}
        self._corrupt: CorruptChangelogError | None = None

    def absorb(self, key: bytes, value: bytes | None) -> None:
        """Merge one record. One of no known form is an error of ``check``, unless a rebuild begins after it."""
        kind = key[:1]
        if value is not None and len(value) < FENCE_BYTES:
            self._refuse(key, "is shorter than a fence")
            return
        if value is not None and value[:FENCE_BYTES] < self._began:
            return
        if kind == MARKER:
            if value is not None and (self.marker is None or value[:FENCE_BYTES] > self.marker[:FENCE_BYTES]):
                self.marker = value
            return
        if kind == BEGIN and value is not None:
            self._forget_everything()
            self._began = value[:FENCE_BYTES]
            return
        if kind not in {PANE, ROW}:
            self._refuse(key, "has a key of no known kind")
            return
        newest = self.panes if kind == PANE else self.rows
        known = newest.get(key)
        if value is None:
            if known is not None and len(known) == FENCE_BYTES:
                del newest[key]
            return
        if known is None or value[:FENCE_BYTES] > known[:FENCE_BYTES]:
            newest[key] = value

    def check(self) -> None:
        """Call after the last record. Raises ``CorruptChangelogError`` for what cannot be trusted, a rebuild without its marker too."""
        if self._corrupt is not None:
            raise self._corrupt
        if self._began and self.marker is None:
            raise CorruptChangelogError("a `deskpulse state rebuild` of this partition was not finished: run it again")

    def _refuse(self, key: bytes, what: str) -> None:
        self._corrupt = self._corrupt or CorruptChangelogError(_message(key, what))


def _message(key: bytes, what: str) -> str:
    return f"a changelog record (kind {key[:1]!r}) {what}; the state cannot be trusted. Make it again with `deskpulse state rebuild`"

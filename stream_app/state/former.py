"""What a partition's changelog and its part of the topic ``cases`` hold from before, as far as it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from agents.ports import Record
from models.durability.fence import unpack
from models.durability.marker import Marker
from models.durability.pane import PaneId
from models.durability.recovery import BEGIN, FENCE_BYTES, MARKER, PANE, ROW, CorruptChangelogError, fence_of, seal
from stream_app.wire import changelog

Key = TypeVar("Key")

_NOTHING = seal(0, b"")


class Former:
    """Keys that stand in the topics, the newest marker, and the highest epoch. What cannot be read is passed over."""

    def __init__(self) -> None:
        self.rows: set[str] = set()
        self.panes: set[PaneId] = set()
        self.marker: Marker | None = None
        self.epoch = 0

    def read_changelog(self, records: Sequence[Record]) -> None:
        """Records of the changelog, in order."""
        for record in records:
            try:
                self._absorb(record.key or b"", record.value)
            except (ValueError, CorruptChangelogError):
                continue

    def read_cases(self, records: Sequence[Record]) -> None:
        """Records of ``cases``, in order."""
        for record in records:
            _note(self.rows, (record.key or b"").decode(errors="replace"), record.value)

    def _absorb(self, key: bytes, value: bytes | None) -> None:
        kind = key[:1]
        if kind == ROW:
            _note(self.rows, changelog.key_of_row(key), value)
        elif kind == PANE:
            _note(self.panes, changelog.decode_pane(key, _NOTHING).id, value)
        elif kind == BEGIN and value is not None and len(value) == FENCE_BYTES:
            self.epoch = max(self.epoch, unpack(fence_of(value))[0])
        elif kind == MARKER and value is not None:
            self._take(changelog.decode_marker(value))

    def _take(self, marker: Marker) -> None:
        self.epoch = max(self.epoch, marker.epoch)
        if self.marker is None or (marker.epoch, marker.offset) > (self.marker.epoch, self.marker.offset):
            self.marker = marker


def _note(keys: set[Key], key: Key, value: bytes | None) -> None:
    if value is None:
        keys.discard(key)
    else:
        keys.add(key)

"""The rows of one partition: those in use as objects, the others as the bytes that stand in the changelog.

    touched ── written ── … COLD_AFTER turns untouched … ── bytes ── compressed with its turn to be written again
       ^                                                            │
       └──────────────────────── next event or timer ───────────────┘
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar
from zlib import compress, decompress

from models.durability.fence import NO_FENCE, Fence
from models.progress.watermark import AFTER_EVERYTHING

COLD_AFTER = 30
"""Turns, which are checkpoint intervals."""
_COMPRESSED: Final = 0x78
"""First byte of a compressed row; others begin with their fence, whose first byte is 0 for the first 255 epochs."""


class Row:
    """What store and machine need of a row; every kind of row is a subclass.

    ``fence``: of the last record that changed it. ``wake_at``: the instant (ms) at which time alone changes it next.
    """

    __slots__ = ("fence", "wake_at")

    def __init__(self) -> None:
        self.fence: Fence = NO_FENCE
        self.wake_at = AFTER_EVERYTHING


R = TypeVar("R", bound=Row)


_Written = tuple[int, Fence, bytes]
"""When a row was last written (turn), its fence and its value then. Only the last one is kept, and none of a row that is gone."""


class RowStore(Generic[R]):
    """A mapping from key to row. ``encode`` and ``decode`` turn a row into its changelog value and back."""

    def __init__(self, encode: Callable[[R], bytes], decode: Callable[[str, bytes], R]) -> None:
        self._encode = encode
        self._decode = decode
        self._rows: dict[str, R | bytes] = {}
        self._written: dict[str, _Written] = {}
        self._cooling: deque[tuple[int, list[str]]] = deque()
        self._thawed: list[tuple[str, Fence, bytes]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def get(self, key: str) -> R | None:
        """The row as an object, which it stays until it is cold again."""
        found = self._rows.get(key)
        if not isinstance(found, bytes):
            return found
        row = self._rows[key] = self._decode(key, _plain(found))
        self._thawed.append((key, row.fence, found))
        return row

    def __getitem__(self, key: str) -> R:
        row = self.get(key)
        if row is None:
            raise KeyError(key)
        return row

    def __setitem__(self, key: str, row: R) -> None:
        self._rows[key] = row

    def pop(self, key: str) -> None:
        """Forget the row, if there is one."""
        self._rows.pop(key, None)
        self._written.pop(key, None)

    def keep_cold(self, key: str, value: bytes) -> None:
        """A row as the changelog had it."""
        self._rows[key] = value

    def look(self, key: str) -> R | None:
        """The row, only to look at: it stays as cold as it is."""
        found = self._rows.get(key)
        return self._decode(key, _plain(found)) if isinstance(found, bytes) else found

    def write(self, keys: list[str], turn: int) -> Iterator[tuple[str, bytes]]:
        """Changelog values of rows that exist; from now on they cool. Cold ones are compressed."""
        written = self._written
        cooling: list[str] = []
        for key, fence, value in self._thawed:
            written[key] = turn, fence, value
            cooling.append(key)
        self._thawed.clear()
        self._cooling.append((turn, cooling))
        for key in keys:
            found = self._rows[key]
            if isinstance(found, bytes):
                value = _plain(found)
                if value is found:
                    self._rows[key] = compress(value, 1)
            else:
                value = self._encode(found)
                written[key] = turn, found.fence, value
                cooling.append(key)
            yield key, value

    def cool(self, turn: int) -> None:
        """Rows that were written ``COLD_AFTER`` turns ago and have not been touched since become bytes."""
        rows, written = self._rows, self._written
        while self._cooling and self._cooling[0][0] + COLD_AFTER <= turn:
            then, keys = self._cooling.popleft()
            for key in keys:
                last = written.get(key)
                if last is None or last[0] != then:
                    continue
                del written[key]
                row = rows.get(key)
                if row is not None and not isinstance(row, bytes) and row.fence == last[1]:
                    rows[key] = last[2]


def _plain(value: bytes) -> bytes:
    return decompress(value) if value[0] == _COMPRESSED else value

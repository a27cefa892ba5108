"""The newest record of every pane, and what each newer one changes."""

from __future__ import annotations

from collections.abc import Callable

from models.panes.pane import Pane, remove
from models.rollup.records import Fence, PaneRecord

Decode = Callable[[bytes], Pane]


class NewestPanes:
    """Newest facts per pane of one tier, kept encoded.

    A record whose fence is not greater than the last one's is ignored: records of a compacted topic may be
    repeated and out of order.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._panes: dict[int, dict[bytes, tuple[Fence, bytes | None]]] = {}

    def replace(self, start: int, identity: bytes, record: PaneRecord) -> Pane | None:
        """New facts less the former ones; ``None`` for an older record.

        A deleted pane keeps its fence, until `forget`, so that an older record does not bring it back.
        """
        panes = self._panes.setdefault(start, {})
        former = panes.get(identity)
        if former is not None and record.fence <= former[0]:
            return None
        facts = None if record.deleted else bytes(record.facts)
        change = self._decode(facts) if facts is not None else {}
        panes[identity] = (record.fence, facts)
        if former is not None and former[1] is not None:
            remove(change, self._decode(former[1]))
        return change

    def forget(self, before: int) -> None:
        """Drop all slices that start before the instant; the caller reads no record of them any more."""
        for start in [start for start in self._panes if start < before]:
            del self._panes[start]

    def forget_deleted(self, before: int) -> None:
        """Drop the slices that start before the instant and of which every pane is deleted."""
        for start in [start for start in self._panes if start < before]:
            if all(facts is None for _, facts in self._panes[start].values()):
                del self._panes[start]

    def __len__(self) -> int:
        return sum(len(panes) for panes in self._panes.values())

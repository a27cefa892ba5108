"""Fences: how far into the log a row or pane has been taken.

A fence is the pair (epoch, offset) packed into one integer so that comparing is one machine
operation; ``state rebuild`` raises the epoch. A record at or below a fence is skipped there, and of
two versions of a row or pane the one with the greater fence holds, wherever it stands in the log.
"""

from __future__ import annotations

from typing import Final

Fence = int

_OFFSET_BITS: Final = 48  # 2.8e14 records per partition and epoch
NO_FENCE: Final[Fence] = -1


def pack(epoch: int, offset: int) -> Fence:
    """The fence of ``offset`` in ``epoch``."""
    return (epoch << _OFFSET_BITS) | offset


def unpack(fence: Fence) -> tuple[int, int]:
    """``(epoch, offset)`` of a fence; ``(0, -1)`` for ``NO_FENCE``."""
    if fence < 0:
        return 0, -1
    return fence >> _OFFSET_BITS, fence & ((1 << _OFFSET_BITS) - 1)

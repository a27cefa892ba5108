"""Keeping Python's cyclic garbage collector off the rows: it would walk millions of live objects again and again."""

from __future__ import annotations

import gc

_YOUNG = 50_000
_MIDDLE = 20
_OLD = 100


def tune() -> None:
    """Collect less often; what the hot path makes is freed by reference counts."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)


def set_aside() -> None:
    """Exempt everything alive now, such as freshly recovered rows, from later collections."""
    gc.collect()
    gc.freeze()

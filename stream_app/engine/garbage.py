"""Keeping Python's cyclic garbage collector off the rows: it would walk millions of live objects again and again.

What the hot path makes is freed by reference counts, so a collection looks at each object once, soon after it was made, and
whatever survives is exempt from later ones. A cycle that dies after that is found at the next assignment.
"""

from __future__ import annotations

import gc

_YOUNG = 200_000
_NEVER = 1 << 30


def tune() -> None:
    """Collect the young only, and rarely; exempt what survives."""
    gc.set_threshold(_YOUNG, _NEVER, _NEVER)
    if _exempt not in gc.callbacks:
        gc.callbacks.append(_exempt)


def _exempt(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 0:
        gc.freeze()


def set_aside() -> None:
    """Collect everything once, then exempt all that is alive now, such as freshly recovered rows."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()

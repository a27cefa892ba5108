"""The marker that ends a checkpoint: the state of time and of definitions."""

from __future__ import annotations

import msgspec

from models.events.canonical import Definitions


class Marker(msgspec.Struct):
    """State of time at a checkpoint; ``offset`` is the next one to process, ``limits`` what the two tiers had dropped."""

    epoch: int
    offset: int
    sources: dict[str, int]
    topics: dict[str, int]
    clock: int
    watermark: int
    simulated: bool
    definitions: Definitions
    counters: dict[str, int]
    seen: dict[str, list[str]]
    beyond_horizon: int
    limits: tuple[int, int]

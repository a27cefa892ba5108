"""What a processor's partition knows of time: one progress per source, the minimum is the watermark.

    contacts-0  ───────────────●            progress 10:07
    contacts-1  ──────●                     progress 10:03   <- watermark
    surveys-0   (not heard of)              minus infinity   <- would hold it back

One maximum over all sources would call everything of a slow partition late; the minimum never does.
"""

from __future__ import annotations

from typing import Final

from models.events.canonical import Mark

NEVER: Final = -(2**62)
"""Minus infinity: a source that no one has heard of."""
AFTER_EVERYTHING: Final = 2**62
"""Plus infinity: nothing to wait for."""


class Progress:
    """Greatest progress per source; monotone, so marks may repeat and arrive in any order."""

    __slots__ = ("clock", "simulated", "sources", "topics", "watermark")

    def __init__(self) -> None:
        self.sources: dict[str, int] = {}
        self.topics: dict[str, int] = {}
        self.clock = NEVER
        self.simulated = False
        self.watermark = NEVER

    def take(self, mark: Mark) -> bool:
        """Merge a mark; true when the watermark moved."""
        sources = self.sources
        for topic, partitions in mark.topics.items():
            self._expect(topic, partitions)
        for source, progress in mark.sources.items():
            if progress > sources.get(source, NEVER):
                sources[source] = progress
        for source in mark.left:
            sources.pop(source, None)
        self.clock = max(self.clock, mark.clock)
        self.simulated = mark.simulated
        before = self.watermark
        self.watermark = max(before, min(sources.values(), default=NEVER))
        return self.watermark > before

    def _expect(self, topic: str, partitions: int) -> None:
        known = self.topics.get(topic, 0)
        for number in range(known, partitions):
            self.sources.setdefault(f"{topic}-{number}", NEVER)
        self.topics[topic] = max(known, partitions)

    def restore(self, sources: dict[str, int], topics: dict[str, int], clock: int, watermark: int, *, simulated: bool) -> None:
        """Take over what a marker says."""
        self.sources = dict(sources)
        self.topics = dict(topics)
        self.clock = clock
        self.watermark = watermark
        self.simulated = simulated

"""How far each input source of one Intake has come in event time. All instants and durations in milliseconds.

A *source* is one partition of an input topic, named ``<topic>-<partition>``. Its *progress* is an
instant up to which it has nothing more to tell. Progress only rises while the source is owned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

ProgressKind = Literal["wall", "declared"]


@dataclass(frozen=True)
class InputSource:
    """One configured input topic.

    ``wall``: its events move it, and a quiet partition is complete up to the wall clock minus
    ``delay_ms``, which is at least the polling interval of whatever fills it. ``declared``: only
    the sender's ``source.progress`` moves it. ``topic`` is its name on the broker, if another.
    """

    partitions: int
    progress: ProgressKind = "wall"
    delay_ms: int = 1_000
    topic: str = ""


def topic_of(source: str) -> str:
    """``contacts`` of ``contacts-3``."""
    return source.rpartition("-")[0]


def partition_of(source: str) -> int:
    """``3`` of ``contacts-3``."""
    return int(source.rpartition("-")[2])


class SourceProgress:
    """Progress of the owned sources, and which of them are too far ahead of the others.

    Sources that are not owned are never moved. What it is told must be so already or at once: the caller reports an event together with its
    log record, and reads ``progress`` for a mark only when all those records are acknowledged.
    """

    def __init__(self, inputs: Mapping[str, InputSource], allowance_ms: int) -> None:
        self._inputs = inputs
        self._allowance_ms = allowance_ms
        self._owned: set[str] = set()
        self._reached: dict[str, int] = {}
        self._position: dict[str, int] = {}
        self._at_end: set[str] = set()

    @property
    def owned(self) -> frozenset[str]:
        """The sources of the current assignment."""
        return frozenset(self._owned)

    @property
    def progress(self) -> dict[str, int]:
        """Progress of each owned source that has any; the others have said nothing yet."""
        return dict(self._reached)

    def assign(self, sources: Iterable[str]) -> None:
        """These are owned from now on. Of a source that is not among them nothing is kept."""
        self._owned = set(sources)
        self._reached = {source: at for source, at in self._reached.items() if source in self._owned}
        self._position = {source: at for source, at in self._position.items() if source in self._owned}
        self._at_end &= self._owned

    def read(self, source: str) -> None:
        """Records of the source came in, so it is not known to be at its end."""
        self._at_end.discard(source)

    def event(self, source: str, occurred_at: int, timestamp: int) -> None:
        """An event was accepted: it moves its source to the earlier of its two times minus the allowance.

        ``timestamp`` is Kafka's (negative: none). An event time of a declared source moves only its
        position, which ``too_far_ahead`` goes by.
        """
        at = occurred_at if occurred_at < timestamp or timestamp < 0 else timestamp
        if at > self._position.get(source, -1) and source in self._owned:
            self._position[source] = at
            if self._inputs[topic_of(source)].progress == "wall":
                self._raise(source, at - self._allowance_ms)

    def declare(self, source: str, up_to: int, timestamp: int) -> None:
        """The sender's own word. On a ``wall`` topic it is not believed beyond the record's Kafka timestamp."""
        if source not in self._owned:
            return
        wall = self._inputs[topic_of(source)].progress == "wall"
        at = min(up_to, timestamp) if wall and timestamp >= 0 else up_to
        self._position[source] = max(at, self._position.get(source, at))
        self._raise(source, at)

    def complete(self, complete_at: Mapping[str, int], *, clock_is_right: bool) -> None:
        """These sources, and no others, were read and acknowledged to their ends; the wall clock of each stood
        at the given instant before that was looked up. A clock that is off claims nothing."""
        self._at_end = self._owned.intersection(complete_at)
        if clock_is_right:
            for source in self._at_end:
                settings = self._inputs[topic_of(source)]
                if settings.progress == "wall":
                    self._raise(source, complete_at[source] - settings.delay_ms)

    def too_far_ahead(self, stretch_ms: int) -> set[str]:
        """Sources whose newest event is more than the stretch past that of the slowest one still being read.

        A source at its end is waited for by nobody, nor is one that no event has been seen of: it
        may never have any. The slowest is never among the result, so one can always go on.
        """
        reading = [at for source, at in self._position.items() if source not in self._at_end]
        if not reading:
            return set()
        limit = min(reading) + stretch_ms
        return {source for source, at in self._position.items() if at > limit}

    def _raise(self, source: str, at: int) -> None:
        if at > self._reached.get(source, -1):
            self._reached[source] = at

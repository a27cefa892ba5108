"""Turns board state into frames: a snapshot for a newcomer, the difference for everyone else.

No client has a queue. A client remembers the number of the last frame it got and, whenever its
socket takes more, receives what changed since, so a slow one costs nothing but its socket buffer.
Frames are built once and shared by all clients that stand at the same number.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from models.catalogue.registry import CATALOGUE
from stream_app.board.feed import BoardFeed, FeedBatch
from stream_app.board.options import BoardOptions
from stream_app.board.state import BoardState, Group

FRAMES_CACHED: Final = 64
CATALOGUE_WORDS: Final = {kpi.id: {"meaning": kpi.meaning, "unit": kpi.unit, "direction": kpi.direction} for kpi in CATALOGUE}
SEQUENCE_DIGITS: Final = 18
GAP_FRAMES: Final = 900
"""A client that missed more frames than this gets a snapshot; it would need most rows anyway."""


class Hub:
    """Owns the state, closes a frame at most once per ``frame_seconds`` and wakes the clients.

    ``wall`` gives epoch ms, ``monotonic`` seconds; both only date frames, no number depends on them.
    """

    def __init__(self, options: BoardOptions, wall: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self.state = BoardState()
        self.boot = secrets.token_hex(4)
        self._options = options
        self._wall = wall
        self._monotonic = monotonic
        self._status = FeedBatch(caught_up=False, connected=False, problem="Connecting to the broker.")
        self._heard_at: float | None = None
        self._frame = asyncio.Event()
        self._cache: dict[tuple[Group, int | None, int, int], bytes] = {}

    @property
    def caught_up(self) -> bool:
        """Whether ``kpis`` was read to its end, so that what is shown is complete."""
        return self._status.caught_up

    @property
    def healthy(self) -> bool:
        return self._status.caught_up and self._status.connected

    async def consume(self, feed: BoardFeed) -> None:
        """Apply batches for ever."""
        async for batch in feed.batches():
            self._take(batch)

    async def publish(self) -> None:
        """Close frames for ever, at most one per ``frame_seconds``; while nothing changes, none."""
        while True:
            await asyncio.sleep(self._options.frame_seconds)
            self.close_frame()

    def close_frame(self) -> None:
        """Number what has changed since the last frame and wake every waiting client."""
        if self.caught_up and self.state.advance():
            self._wake()

    async def wait_for_frame(self, seq: int, seconds: float) -> None:
        """Return once a frame after ``seq`` stands, the status has changed, or after ``seconds``."""
        if self.state.seq <= seq:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._frame.wait()

    def resume_point(self, last_event_id: str) -> int | None:
        """The frame a client stands at, or None if it must start from a snapshot."""
        boot, _, text = last_event_id.partition("-")
        if boot != self.boot or not text.isascii() or not text.isdigit() or len(text) > SEQUENCE_DIGITS:
            return None
        seq = int(text)
        if not self.state.can_resume(seq) or self.state.seq - seq > GAP_FRAMES:
            return None
        return seq

    def snapshot_frame(self, group: Group) -> tuple[int, bytes]:
        """A whole frame of one group and its number."""
        seq = self.state.seq
        return seq, self._cached(group, None, lambda: self._encode("snapshot", seq, self.snapshot(group)))

    def delta_frame(self, group: Group, since: int) -> tuple[int, bytes]:
        """What changed after frame ``since``, or a snapshot where that is no longer known."""
        seq = self.state.seq
        if not self.state.can_resume(since):
            return self.snapshot_frame(group)
        return seq, self._cached(group, since, lambda: self._encode("delta", seq, self._delta(group, since)))

    def beat_frame(self, seq: int) -> bytes:
        """Proof of life without numbers: a comment for proxies and an event for the page's watchdog."""
        body = {"seq": seq, "now": self._wall(), "status": self.status(), "pipeline": self.pipeline()}
        return b": keep-alive\n" + self._encode("beat", seq, body)

    def snapshot(self, group: Group) -> dict[str, Any]:
        """Everything a page of this group shows, as plain values. No rows before the feed has caught up."""
        options = self._options
        return {
            **self._common(group),
            "boot": self.boot,
            "catalogue": CATALOGUE_WORDS,
            "board": {"name": options.name, "zone": options.zone, "goals": options.goals},
            "group": dict(group),
            "groups": self.state.groups(),
            "rows": self.state.rows(group) if self.caught_up else [],
        }

    def status(self) -> dict[str, Any]:
        status = self._status
        return {"caught_up": status.caught_up, "connected": status.connected, "problem": status.problem}

    def pipeline(self) -> dict[str, Any]:
        """Progress of the log. ``heard_ago_ms`` is how long ago Rollup last said anything (None: never)."""
        pipeline = self.state.pipeline
        heard_ago = None if self._heard_at is None else round((self._monotonic() - self._heard_at) * 1000)
        return {
            "watermark": pipeline.watermark,
            "clock": pipeline.clock,
            "simulated": pipeline.simulated,
            "heard_ago_ms": heard_ago,
            "sources": pipeline.sources,
        }

    def _take(self, batch: FeedBatch) -> None:
        if batch.reset:
            self._start_anew()
        heard = self.state.pipeline.heard
        self.state.apply(batch.records)
        if self.state.pipeline.heard != heard:
            self._heard_at = self._monotonic()
        before, self._status = self.status(), batch
        if before != self.status():
            self.state.dirty = True
            self.close_frame()
            self._wake()

    def _start_anew(self) -> None:
        """Forget everything; a new boot makes every client ask for a snapshot."""
        self.state = BoardState()
        self.boot = secrets.token_hex(4)
        self._heard_at = None
        self._cache.clear()

    def _wake(self) -> None:
        frame, self._frame = self._frame, asyncio.Event()
        frame.set()

    def _common(self, group: Group) -> dict[str, Any]:
        return {
            "seq": self.state.seq,
            "now": self._wall(),
            "status": self.status(),
            "pipeline": self.pipeline(),
            "next_to_breach": _of_group(self.state.next_to_breach, group),
            "alerts": self.state.breaches.alerts(self.state.pipeline.clock),
        }

    def _delta(self, group: Group, since: int) -> dict[str, Any]:
        body = {
            **self._common(group),
            "from": since,
            "rows": self.state.changed_since(group, since),
            "removed": self.state.removed_since(group, since),
        }
        if self.state.groups_changed_since(since):
            body["groups"] = self.state.groups()
        return body

    def _cached(self, group: Group, since: int | None, build: Callable[[], bytes]) -> bytes:
        """One encoding for all clients at the same number, for a second: a frame tells how old its numbers are."""
        name = (group, since, self.state.seq, int(self._monotonic()))
        frame = self._cache.get(name)
        if frame is None:
            frame = build()
            while len(self._cache) >= FRAMES_CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[name] = frame
        return frame

    def _encode(self, event: str, seq: int, body: dict[str, Any]) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self.boot.encode(), seq, event.encode(), orjson.dumps(body))


def _of_group(items: Sequence[dict[str, Any]] | None, group: Group) -> list[dict[str, Any]] | None:
    """The group's own among the ten of all cases; ``None`` while nothing was heard of any."""
    if items is None:
        return None
    return [item for item in items if all(item.get(name) == value for name, value in group)]

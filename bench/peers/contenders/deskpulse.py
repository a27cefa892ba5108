"""Deskpulse's engine: Faust's group and streams in batches, checkpoint = commit, a changelog that recovers exactly.

The log is the input topic. State is one pane per group and minute, under a fence: a record at or below the fence of a pane is in it.
Since a checkpoint is cut between two calls of ``handle``, every pane is complete up to the same offset then, and one fence
serves them all; only panes that a crash left ahead of the marker have another one, until the replay has passed them.

    changelog   pane (fence 1200) ── marker (next 1201) ── pane (fence 1700) ── crash
    replay      from 1201; the pane of fence 1700 skips what it has, all others take it
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from math import log
from typing import Final

import msgspec

from agents.ports import Checkpoint, Output, Record
from bench.peers.job import PER_LOG_GAMMA, WINDOW_MS, WITHIN_MS, Accumulator, Window, row, window_key
from bench.peers.task import Stopwatch, Task
from bench.peers.topics import create
from stream_app.engine import Engine, EngineSettings, create_engine

LOG: Final = "input"
CHANGELOG: Final = "changelog"
RESULTS: Final = "results"
MARKER: Final = b"m"
POLL_SECONDS: Final = 0.002
SESSION_SECONDS: Final = 6.0


class Event(msgspec.Struct, gc=False):
    """The four fields that the job needs; the others are skipped by the decoder."""

    queue: str
    channel: str
    occurred_at: int
    duration_ms: int


class Pane:
    """One window. ``changed``: since the last ``publish``; its name is in the state's list then."""

    __slots__ = ("buckets", "changed", "count", "longest", "total", "within")

    def __init__(self, count: int = 0, total: int = 0, longest: int = 0, within: int = 0, buckets: dict[int, int] | None = None) -> None:
        self.count, self.total, self.longest, self.within = count, total, longest, within
        self.buckets: dict[int, int] = {} if buckets is None else buckets
        self.changed = False

    def accumulated(self) -> Accumulator:
        return [self.count, self.total, self.longest, self.within, self.buckets]


class State:
    """Panes of one partition of the input; ``offset`` is the next one to handle.

    ``fences``: of the recovered panes, until the replay has passed them all, which is at ``ahead``.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.offset = -1
        self.panes: dict[Window, Pane] = {}
        self.fences: dict[Window, int] = {}
        self.ahead = -1
        self.unpublished: list[Window] = []
        self.unwritten: set[Window] = set()


class Recovering:
    """Merges changelog records forward only: of two versions of a pane the one with the greater fence holds, wherever it stands."""

    def __init__(self, partition: int) -> None:
        self._state = State(partition)

    def absorb(self, key: bytes, value: bytes | None) -> None:
        state = self._state
        assert value is not None
        if key == MARKER:
            state.offset = max(state.offset, _decode_marker(value))
            return
        window = _decode_window(key)
        fence, accumulated = _decode_pane(value)
        if fence > state.fences.get(window, -1):
            state.fences[window], state.panes[window] = fence, Pane(*accumulated)

    def complete(self) -> State:
        """Everything recovered is published once more: what was sent last may have been lost with the process."""
        state = self._state
        state.ahead = max(state.fences.values(), default=-1)
        state.unpublished = list(state.panes)
        for pane in state.panes.values():
            pane.changed = True
        return state


_encode = msgspec.msgpack.Encoder().encode
_encode_row = msgspec.json.Encoder().encode
_decode_event = msgspec.json.Decoder(Event).decode
_decode_marker = msgspec.msgpack.Decoder(int).decode
_decode_window = msgspec.msgpack.Decoder(tuple[str, str, int]).decode
_decode_pane = msgspec.msgpack.Decoder(tuple[int, tuple[int, int, int, int, dict[int, int]]]).decode


class Windows:
    """The job as a stateful processor."""

    name = "windows"
    log = LOG
    changelog = CHANGELOG

    def __init__(self, watch: Stopwatch, over: asyncio.Event) -> None:
        self._watch, self._over = watch, over

    def recover(self, partition: int) -> Recovering:
        return Recovering(partition)

    def handle(self, state: State, records: Sequence[Record]) -> list[Output]:
        self._watch.start()
        if records[0].offset <= state.ahead:
            _fold(state, [record for record in records if record.offset > state.fences.get(_window(record), -1)])
        else:
            _fold(state, records)
        state.offset = records[-1].offset + 1
        if self._watch.count(len(records)):
            self._over.set()
        return []

    def catching_up(self, state: State) -> bool:
        """Never: what has changed is published at every interval, in a backlog too."""
        return False

    def publish(self, state: State, *, whole: bool = True) -> list[Output]:
        del whole  # its few windows are never large
        panes, partition = state.panes, state.partition
        changed, state.unpublished = state.unpublished, []
        state.unwritten.update(changed)
        outputs = []
        for window in changed:
            pane = panes[window]
            pane.changed = False
            outputs.append(Output(RESULTS, window_key(*window), _encode_row(row(pane.accumulated())), partition))
        return outputs

    def checkpoint(self, state: State, turns: int = 1) -> Checkpoint:
        state.unwritten.update(state.unpublished)
        panes, fences, fence = state.panes, state.fences, state.offset - 1
        if fence > state.ahead:
            fences.clear()
        written: list[tuple[bytes, bytes | None]] = [
            (_encode(window), _encode((max(fence, fences.get(window, -1)), panes[window].accumulated()))) for window in state.unwritten
        ]
        state.unwritten.clear()
        return Checkpoint(state.offset, written, [], (MARKER, _encode(state.offset)))


def _window(record: Record) -> Window:
    event = _decode_event(record.value or b"")
    return event.queue, event.channel, event.occurred_at // WINDOW_MS


def _fold(state: State, records: Sequence[Record]) -> None:
    """All in one loop: a call per event would cost as much as the rest of it."""
    panes, decode = state.panes, _decode_event
    for record in records:
        event = decode(record.value)  # type: ignore[arg-type]
        window = (event.queue, event.channel, event.occurred_at // WINDOW_MS)
        duration = event.duration_ms
        pane = panes.get(window)
        if pane is None:
            pane = panes[window] = Pane()
        if not pane.changed:
            pane.changed = True
            state.unpublished.append(window)
        pane.count += 1
        pane.total += duration
        if duration > pane.longest:  # noqa: PLR1730 - a call of max() costs more
            pane.longest = duration
        if duration <= WITHIN_MS:
            pane.within += 1
        bucket = int(log(duration) * PER_LOG_GAMMA)
        buckets = pane.buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1


def settings(task: Task) -> EngineSettings:
    """Defaults, but for the topics, and for the session: a killed process is missed sooner."""
    real = {LOG: task.input, RESULTS: task.output, CHANGELOG: f"{task.name}-changelog"}
    return EngineSettings(
        bootstrap_servers=task.bootstrap,
        group_id=task.name,
        topic=lambda name: real.get(name, name),
        inputs=(),
        outputs=(RESULTS,),
        checkpoint_interval=task.checkpoint_seconds,
        session_timeout=SESSION_SECONDS,
        heartbeat_interval=SESSION_SECONDS / 6,
    )


async def run(task: Task) -> int:
    if not task.restarted:
        await create(task.bootstrap, [f"{task.name}-changelog"], {"cleanup.policy": "compact"})
    over = asyncio.Event()
    watch = Stopwatch(task)
    engine = create_engine(settings(task), None, [Windows(watch, over)], None)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, engine.stop)
    ending = asyncio.ensure_future(_end(engine, watch, over))
    code = await engine.run()
    ending.cancel()
    return int(code)


async def _end(engine: Engine, watch: Stopwatch, over: asyncio.Event) -> None:
    """Stop the watch once the last event's results are published, checkpointed and committed."""
    await over.wait()
    engine.stop()
    while engine.partitions():  # noqa: ASYNC110 - the engine has no event for it, and needs none
        await asyncio.sleep(POLL_SECONDS)
    watch.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(asyncio.run(run(Task.given())))

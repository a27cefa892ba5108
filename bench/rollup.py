"""What Rollup costs by itself: the panes of a finished run, read and published again in memory, without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import thread_time
from typing import Any

from agents.rollup import RollupProcessor
from stream_app.app import rollup_settings
from stream_app.settings import Settings
from stream_app.wire.outputs import OutputsCodec


@dataclass(frozen=True)
class RollupCost:
    """CPU seconds."""

    read_seconds_per_record: float
    publish_seconds: float


def rollup_cost(panes: Sequence[Any], settings: Settings) -> RollupCost:
    """``panes``: every record of the topic, in order. One publish for all that came within a publish interval."""
    interval = settings.engine.publish_interval.total_seconds() * 1000
    rollup = RollupProcessor(rollup_settings(settings), OutputsCodec())
    rollup.assigned()
    rollup.start_publishing()
    reading = publishing = 0.0
    cycles = at = 0
    while at < len(panes):
        end, until = at, panes[at].timestamp + interval
        while end < len(panes) and panes[end].timestamp < until:
            end += 1
        before = thread_time()
        rollup.read_panes(panes[at:end])
        between = thread_time()
        rollup.publish()
        reading, publishing = reading + between - before, publishing + thread_time() - between
        cycles, at = cycles + 1, end
    return RollupCost(reading / max(len(panes), 1), publishing / max(cycles, 1))

"""The engine and its processors as the metrics see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from agents.intake import IntakeProcessor
from models.progress.watermark import NEVER
from stream_app.engine import Engine
from stream_app.metrics.views import OutcomeCount, PartitionLag, ProcessorCount, SourceProgress, Timing

_OUTCOMES = {
    "duplicates": "duplicate",
    "redelivered": "redelivered",
    "conflicts": "dead_lettered",
    "handler_errors": "dead_lettered",
    "too_late": "too_late",
    "row_full": "row_full",
}


class EngineView:
    """``WorkerView`` of a running engine; cheap, and everything is of partitions owned now."""

    def __init__(self, engine: Engine, intake: IntakeProcessor) -> None:
        self._engine = engine
        self._intake = intake

    def _states(self, processor: str = "") -> Iterator[Any]:
        for partition in self._engine.partitions():
            if partition.state is not None and processor in {"", partition.processor.name}:
                yield partition.state

    def lags(self) -> Iterable[PartitionLag]:
        return [PartitionLag(topic, partition, records) for (topic, partition), records in self._engine.lags().items()]

    def sources(self) -> Iterable[SourceProgress]:
        """Least progress of each source over the log partitions owned here."""
        least: dict[str, int] = {}
        for state in self._states("cases"):
            for source, at in state.progress.sources.items():
                least[source] = min(at, least.get(source, at))
        return [SourceProgress(source, at if at > NEVER else None) for source, at in sorted(least.items())]

    def watermark(self) -> int | None:
        watermarks = [state.progress.watermark for state in self._states("cases")]
        least = min(watermarks, default=NEVER)
        return least if least > NEVER else None

    def clock(self) -> int | None:
        clocks = [state.progress.clock for state in self._states("cases")]
        greatest = max(clocks, default=NEVER)
        return greatest if greatest > NEVER else None

    def outcomes(self) -> Iterable[OutcomeCount]:
        counters = self._intake.counters
        yield OutcomeCount("input", "accepted", counters.accepted - counters.split + counters.progress_records)
        yield OutcomeCount("input", "ignored", counters.ignored)
        yield OutcomeCount("input", "dead_lettered", counters.dead_lettered.total())
        counted = Counter(dict.fromkeys(_OUTCOMES.values(), 0))  # a counter that begins at its first count shows no increase
        for state in self._states("cases"):
            for name, amount in state.counters.items():
                if name in _OUTCOMES:
                    counted[_OUTCOMES[name]] += amount
        for outcome, amount in sorted(counted.items()):
            yield OutcomeCount("events", outcome, amount)

    def processed(self) -> Iterable[ProcessorCount]:
        return [ProcessorCount(name, records) for name, records in self._engine.records_handled().items()]

    def checkpoints(self) -> Iterable[Timing]:
        return [Timing(name, seconds.count, seconds.total) for name, seconds in self._engine.checkpoint_seconds().items()]

    def recoveries(self) -> Iterable[Timing]:
        times: Counter[str] = Counter()
        seconds: dict[str, float] = {}
        for partition in self._engine.partitions():
            if partition.state is not None:
                times[partition.processor.name] += 1
                seconds[partition.processor.name] = seconds.get(partition.processor.name, 0.0) + partition.recovery_seconds
        return [Timing(name, times[name], seconds[name]) for name in times]

    def ready(self) -> bool:
        return self._engine.ready

    def publishing(self) -> bool:
        return self._engine.rollup_active

    def simulated(self) -> bool:
        return any(state.progress.simulated for state in self._states("cases"))

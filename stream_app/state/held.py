"""What a log still holds, and whether that is enough."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka.structs import TopicPartition

from stream_app.engine.reading import LogRange, Reader
from stream_app.engine.settings import EngineSettings
from stream_app.state.parts import Part


def log_of(settings: EngineSettings, part: Part) -> TopicPartition:
    """The log partition that a part reads."""
    return TopicPartition(settings.topic(part.processor.log), part.partition)


async def held_by_logs(settings: EngineSettings, reader: Reader, parts: Iterable[Part]) -> dict[Part, LogRange]:
    """Offsets of each part's log, its end as a fetch sees it."""
    logs = {part: log_of(settings, part) for part in parts}
    ranges = await reader.ranges(logs.values())
    return {part: LogRange(ranges[tp].begin, await _end(reader, tp, ranges[tp])) for part, tp in logs.items()}


async def _end(reader: Reader, tp: TopicPartition, held: LogRange) -> int:
    """Some brokers name an end that is short by one batch."""
    return held.end if held.begin == held.end else max(held.end, await reader.true_end(tp))

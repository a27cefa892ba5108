"""An Intake on the real codec, and readers of what it puts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings, SourceMapping
from agents.ports import Output
from models.events.canonical import Event, Mark
from models.progress.sources import InputSource
from stream_app.wire.canonical import decode_control, decode_event, encode
from stream_app.wire.dead_letters import dead_letter
from stream_app.wire.decoder import decode

WALL = InputSource(partitions=2, progress="wall", delay_ms=1_000)
DECLARED = InputSource(partitions=2, progress="declared")
CODEC = IntakeCodec(decode, encode, dead_letter)


def intake(
    *sources: str,
    mapping: SourceMapping | None = None,
    mappings: Mapping[str, SourceMapping] | None = None,
    codec: IntakeCodec = CODEC,
    log_partitions: int = 2,
    **inputs: InputSource,
) -> IntakeProcessor:
    """An Intake with these inputs (``contacts`` by the wall clock if none are given) that owns these sources.

    ``mapping``: of all inputs.
    """
    settings = IntakeSettings(inputs or {"contacts": WALL}, log_partitions=log_partitions, writer="w1")
    processor = IntakeProcessor(settings, codec, dict.fromkeys(settings.inputs, mapping) if mapping is not None else mappings)
    processor.assigned(set(sources or ("contacts-0",)))
    return processor


def events(outputs: Sequence[Output]) -> list[Event]:
    return [decode_event(output.value or b"") for output in outputs if output.topic == "events" and output.key is not None]


def dead_letters(outputs: Sequence[Output]) -> list[dict[str, str]]:
    return [{name: content.decode() for name, content in output.headers} for output in outputs if output.topic == "dead-letters"]


def mark(outputs: Sequence[Output]) -> Mark:
    """The one mark that all log partitions get."""
    (value,) = {output.value for output in outputs}
    assert all(output.key is None and output.topic == "events" for output in outputs)
    found = decode_control(value or b"")
    assert isinstance(found, Mark)
    return found

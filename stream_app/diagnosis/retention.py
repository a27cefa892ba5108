"""How long topics keep what, beyond what makes the numbers wrong at once: that is a difference (``stream_app.topics``), this a risk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from stream_app.diagnosis.findings import Finding, warning
from stream_app.settings import Settings, format_duration
from stream_app.topics import ExistingTopic, TopicSpec

_MILLISECOND = timedelta(milliseconds=1)


def retention_findings(settings: Settings, specs: Iterable[TopicSpec], existing: Mapping[str, ExistingTopic]) -> Iterator[Finding]:
    """Inputs that are deleted sooner than configured, and compacted topics that Kafka can not compact as soon as it could."""
    for spec in specs:
        config = existing[spec.name].config if spec.name in existing else {}
        if not spec.ours:
            yield from _input(settings, spec.name, config)
        elif spec.config["cleanup.policy"] == "compact":
            yield from _compacted(spec, config)


def _input(settings: Settings, name: str, config: Mapping[str, str]) -> Iterator[Finding]:
    kept, wanted = int(config.get("retention.ms", -1)), settings.kafka.input_retention
    if 0 <= kept < wanted // _MILLISECOND:
        detail = f"keeps events for {format_duration(kept * _MILLISECOND)}, less than kafka.input_retention ({format_duration(wanted)})"
        yield warning(f"topic {name}", f"{detail}: a longer outage of the workers loses events", "raise its `retention.ms`")
    if int(config.get("retention.bytes", -1)) >= 0:
        detail = f"is cut at {int(config['retention.bytes']):,} bytes per partition, however short the time"
        yield warning(f"topic {name}", detail, "set its `retention.bytes` to -1, or be sure that it holds an outage of the workers")


def _compacted(spec: TopicSpec, config: Mapping[str, str]) -> Iterator[Finding]:
    for key in ("segment.ms", "segment.bytes"):
        actual, expected = int(config.get(key, 0)), int(spec.config[key])
        if actual > expected:
            detail = f"{key} is {actual:,}, more than {expected:,}: it is compacted late, and recovery reads more"
            yield warning(f"topic {spec.name}", detail, f"set `{key}` of the topic to {expected}")

"""All topics: which there are, how each is created, and what is wrong with those that exist.

Settings that keep the promises of the log, and why:

- Logs (``events``, ``customer-log``, the event topics) are kept for the horizon and ``MARGIN`` longer, not for ever: an event older than
  the horizon touches nothing, so nobody can need its record. Until then state can be made anew from the log alone, and a worker that
  was down for up to ``MARGIN`` finds its offset. A limit of bytes would cut that short. The input
  topics need only bridge an outage of Intake.
- ``LogAppendTime`` on what we write and delete by age: its age is the time since it was written here. With the times of events a replay
  of last year would be deleted the minute it is written.
- Compacted topics keep every record for the compaction lag: readers keep the greater fence, and owners write live keys again within half
  of the lag. Small segments, because Kafka never compacts the one being written.
- An input message may be large: one of 10 MB has to reach us to become a dead letter, with its origin, in place of an error at the sender.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from stream_app.settings import Settings

DEFAULT_PREFIX = "deskpulse"
DEFAULT_INPUTS = ("contacts", "resolutions", "surveys")
DEFAULT_PARTITIONS = 4
DEFAULT_HORIZON = timedelta(days=35)
DEFAULT_INPUT_RETENTION = timedelta(days=7)
DEFAULT_COMPACTION_LAG = timedelta(hours=1)

MARGIN = timedelta(days=7)
"""How much longer than the horizon logs are kept: the longest outage after which a worker still finds its offset."""

MEBIBYTE = 1024 * 1024
INPUT_BYTES = 12 * MEBIBYTE
DEAD_LETTER_BYTES = 16 * MEBIBYTE
OUR_BYTES = 8 * MEBIBYTE
"""Largest record batch of each kind; ours are sent in batches of up to 1 MB, a levels record may be greater."""

COMPACTED_SEGMENT_BYTES = 64 * MEBIBYTE


@dataclass(frozen=True)
class TopicSpec:
    """One topic as it should be on the broker. ``ours`` is false for inputs: their owner may choose another partition count."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    ours: bool = True


def topic_specs(
    prefix: str = DEFAULT_PREFIX,
    *,
    inputs: Mapping[str, int] | None = None,
    log_partitions: int = DEFAULT_PARTITIONS,
    horizon: timedelta = DEFAULT_HORIZON,
    input_retention: timedelta = DEFAULT_INPUT_RETENTION,
    compaction_lag: timedelta = DEFAULT_COMPACTION_LAG,
) -> list[TopicSpec]:
    """Every topic of one installation. ``inputs`` maps names on the broker to partition counts."""
    chosen = dict.fromkeys(DEFAULT_INPUTS, DEFAULT_PARTITIONS) if inputs is None else inputs
    kept = horizon + MARGIN
    by_partition = {
        "events": _log(kept),
        "customer-log": _log(kept),
        "case-events": _log(kept),
        "sla-events": _log(kept),
        "cases": _compacted(compaction_lag),
        "cases-changelog": _compacted(compaction_lag),
        "customers-changelog": _compacted(compaction_lag),
    }
    single = {
        "panes": _compacted(compaction_lag),
        "kpis": _compacted(compaction_lag),
        "kpi-windows": _compacted(compaction_lag),
        "dead-letters": _log(kept, DEAD_LETTER_BYTES),
    }
    return [
        *(TopicSpec(name, count, _input(input_retention), ours=False) for name, count in chosen.items()),
        *(TopicSpec(f"{prefix}.{name}", log_partitions, config) for name, config in by_partition.items()),
        *(TopicSpec(f"{prefix}.{name}", 1, config) for name, config in single.items()),
    ]


def specs_of(settings: Settings) -> list[TopicSpec]:
    """Every topic of the installation that the settings describe."""
    return topic_specs(
        settings.kafka.topic_prefix,
        inputs={settings.topic(name): given.partitions for name, given in settings.active_inputs().items()},
        log_partitions=settings.kafka.log_partitions,
        horizon=settings.time.horizon,
        input_retention=settings.kafka.input_retention,
        compaction_lag=settings.engine.compaction_lag,
    )


def _input(retention: timedelta) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": _milliseconds(retention), "max.message.bytes": str(INPUT_BYTES)}


def _log(kept: timedelta, largest: int = OUR_BYTES) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": _milliseconds(kept),
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(largest),
    }


def _compacted(lag: timedelta) -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": _milliseconds(lag),
        "segment.bytes": str(COMPACTED_SEGMENT_BYTES),
        "segment.ms": _milliseconds(lag),
        "max.message.bytes": str(OUR_BYTES),
    }


def _milliseconds(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))


def creation_config(spec: TopicSpec, replication_factor: int) -> dict[str, str]:
    """Settings to create a topic with; of three copies or more two must have a record before it counts as written."""
    durable = {"min.insync.replicas": "2"} if replication_factor > 2 else {}  # noqa: PLR2004 - goes on without one of three
    return {**spec.config, **durable}


def creation_commands(specs: Iterable[TopicSpec], replication_factor: int, command: str) -> Iterator[str]:
    """One shell command per topic, for clusters where somebody else creates them. ``command``: how `kafka-topics.sh` is called."""
    for spec in specs:
        words = [command, "--create", "--if-not-exists", f"--topic {spec.name}"]
        words += [f"--partitions {spec.partitions}", f"--replication-factor {replication_factor}"]
        words += [f"--config {key}={value}" for key, value in creation_config(spec, replication_factor).items()]
        yield " ".join(words)


@dataclass(frozen=True)
class ExistingTopic:
    """What the broker says of one topic."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class TopicDifference:
    """One thing about a topic that is not as it should be, and the way out."""

    topic: str
    what: str
    expected: str
    actual: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.actual}, should be {self.expected}. {self.remedy}"


EXACT = ("cleanup.policy", "message.timestamp.type")
AT_LEAST = ("retention.ms", "retention.bytes", "min.compaction.lag.ms", "max.message.bytes")


def differences(specs: Iterable[TopicSpec], existing: Mapping[str, ExistingTopic]) -> list[TopicDifference]:
    """What about the existing topics endangers a promise. More retention than asked for, say, is no difference."""
    found: list[TopicDifference] = []
    for spec in specs:
        topic = existing.get(spec.name)
        if topic is None:
            found.append(TopicDifference(spec.name, "topic", "there", "missing", "Run `deskpulse topics create`."))
            continue
        if spec.ours and topic.partitions != spec.partitions:
            found.append(_other_partitions(spec, topic))
        found += _config_differences(spec, topic)
    return found


def _other_partitions(spec: TopicSpec, topic: ExistingTopic) -> TopicDifference:
    remedy = "The count is fixed at creation: set it in the configuration to what is there, or begin under another topic prefix."
    return TopicDifference(spec.name, "partitions", str(spec.partitions), str(topic.partitions), remedy)


def _config_differences(spec: TopicSpec, topic: ExistingTopic) -> list[TopicDifference]:
    checked: Sequence[str] = (*EXACT, *AT_LEAST) if spec.ours else ("cleanup.policy",)
    return [
        TopicDifference(spec.name, key, spec.config[key], topic.config[key], f"Change `{key}` of the topic on the broker.")
        for key in checked
        if key in spec.config and key in topic.config and not _suffices(key, spec.config[key], topic.config[key])
    ]


def _suffices(key: str, expected: str, actual: str) -> bool:
    if key in EXACT:
        return actual == expected
    unlimited = int(actual) < 0
    return unlimited or 0 <= int(expected) <= int(actual)

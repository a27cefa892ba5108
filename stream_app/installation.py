"""The topics of one installation, from its settings: the one place where both meet."""

from __future__ import annotations

from stream_app.settings import Settings
from stream_app.topics import TopicSpec, topic_specs


def configured_topics(settings: Settings) -> list[TopicSpec]:
    """Every topic as this configuration wants it on the broker, inputs included."""
    return topic_specs(
        settings.kafka.topic_prefix,
        inputs={given.topic: given.partitions for given in settings.active_inputs().values()},
        log_partitions=settings.kafka.log_partitions,
        horizon=settings.time.horizon,
        input_retention=settings.kafka.input_retention,
        compaction_lag=settings.engine.compaction_lag,
    )

"""Which partitions a topic has, for consumers that assign them to themselves."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """In order, as the broker says now; none where there is no such topic.

    The consumer's own ``partitions_for_topic`` answers from what it has asked for before: of Apache Kafka it knows nothing at first,
    of the embedded broker everything.
    """
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - ``topics`` asks the same and tells the names only
    return [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]

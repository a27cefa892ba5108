"""Which partitions a topic has, asked of the broker."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """All of them in order; none if there is no such topic, or none that we may see. Nothing is created by asking.

    ``partitions_for_topic`` answers from what the consumer happens to know: before anything is assigned that is nothing on Apache Kafka.
    """
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - what its `topics` asks, which tells only names
    return [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]

"""A compacted topic from its beginning to its end as of now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from stream_app.kafka_access.granted import require_access
from stream_app.kafka_access.knock import NoAnswerError
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import PLAIN, ClientSecurity
from stream_app.topic_partitions import partitions_of

_POLL_MILLISECONDS = 200

Contents = dict[bytes, bytes]


class UnreadableTopicError(Exception):
    """The topic could not be read to its end; the message says why and what to do."""


async def read_latest(bootstrap: str, topic: str, timeout_seconds: float = 30.0, security: ClientSecurity = PLAIN) -> Contents:
    """The last value of every key, deleted keys left out, in order of key. Joins no group and writes nothing.

    Raises ``UnreadableTopicError`` where there is no broker, no such topic, or no end within the time given; ``AccessDeniedError``.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, **security)
    try:
        await require_access(bootstrap, security, [Right("topic", topic, "Read")])
        await consumer.start()
        async with asyncio.timeout(timeout_seconds):
            return await _read(consumer, topic)
    except NoAnswerError as error:
        raise UnreadableTopicError(str(error)) from error
    except KafkaError as error:
        raise UnreadableTopicError(f"{topic}: {error}") from error
    except TimeoutError as error:
        raise UnreadableTopicError(f"{topic} was not read to its end within {timeout_seconds:.0f} s") from error
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, topic: str) -> Contents:
    partitions = await partitions_of(consumer, topic)
    if not partitions:
        raise UnreadableTopicError(f"there is no topic {topic}: run `deskpulse topics create`, or set kafka.topic_prefix")
    consumer.assign(partitions)
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    filled = [partition for partition in partitions if begins[partition] < ends[partition]]
    contents: Contents = {}
    while not await _at_end(consumer, filled):
        fetched = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)
        for records in fetched.values():
            absorb(contents, records)
    return dict(sorted(contents.items()))


async def _at_end(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> bool:
    """By the high watermark of the last fetch: the embedded broker's answer to "latest offset" is short of the end."""
    for partition in partitions:
        end = consumer.highwater(partition)
        if end is None or await consumer.position(partition) < end:
            return False
    return True


def absorb(contents: Contents, records: Iterable[ConsumerRecord]) -> None:
    """Applies records in order: the later one of a key holds, none at all after a tombstone."""
    for record in records:
        if record.key is None:
            continue
        if record.value is None:
            contents.pop(record.key, None)
        else:
            contents[record.key] = record.value

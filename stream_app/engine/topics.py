"""Checks before anything is read: the broker answers, every topic exists, partition counts fit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.ports import StatefulProcessor
from stream_app.engine.failure import RefusalError
from stream_app.engine.settings import EngineSettings
from stream_app.kafka_access.granted import require_access
from stream_app.kafka_access.knock import NoAnswerError
from stream_app.kafka_access.rights import Right

logger = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 5.0


async def wait_for_topics(settings: EngineSettings, names: Iterable[str]) -> dict[str, int]:
    """Partition counts of the logical topics, waiting for the broker as long as it takes.

    Raises ``RefusalError`` when the broker answers and a topic is missing.
    """
    return _counts_of(settings, names, await _answered(settings, lambda: partition_counts(settings)))


async def wait_for_access(settings: EngineSettings, rights: Sequence[Right]) -> None:
    """Return once the brokers have let us in, waiting for them as long as it takes.

    Raises ``AccessDeniedError`` when they do not let us in, or do not give all of these rights.
    """
    await _answered(settings, lambda: require_access(settings.bootstrap_servers, settings.security, rights))


async def _answered(settings: EngineSettings, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """What the broker says, asked again and again while it says nothing."""
    wait = _FIRST_WAIT
    while True:
        try:
            return await ask()
        except (KafkaError, OSError) as error:
            reason = (isinstance(error, NoAnswerError) and error.hint) or type(error).__name__
            logger.warning(
                "no answer from the Kafka broker at %s (%s); trying again in %.1f s",
                settings.bootstrap_servers,
                reason,
                wait,
                extra={"event": "broker_unreachable"},
            )
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


async def partition_counts(settings: EngineSettings) -> dict[str, int]:
    """How many partitions each topic on the broker has, by its name there. Raises ``KafkaError``."""
    client = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, request_timeout_ms=10_000, **settings.security)
    try:
        await client.start()
        topics = await client.describe_topics()
    finally:
        await client.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in topics if not topic["error_code"]}


def _counts_of(settings: EngineSettings, names: Iterable[str], found: Mapping[str, int]) -> dict[str, int]:
    real = {name: settings.topic(name) for name in names}
    missing = sorted(topic for topic in real.values() if topic not in found)
    if missing:
        raise RefusalError(f"these topics do not exist: {', '.join(missing)}. Create them with: deskpulse topics create")
    return {name: found[topic] for name, topic in real.items()}


def check_partition_counts(counts: Mapping[str, int], stateful: Iterable[StatefulProcessor]) -> None:
    """Refuse to run when a log and its changelog have different partition counts: rows would be lost in silence."""
    for processor in stateful:
        if problem := changelog_problem(counts, processor.log, processor.changelog):
            raise RefusalError(problem)


def changelog_problem(counts: Mapping[str, int], log: str, changelog: str) -> str:
    """What is wrong with the partition counts of a log and its changelog; empty if they are equal."""
    if counts[log] == counts[changelog]:
        return ""
    return (
        f"{log} has {counts[log]} partitions but {changelog} has {counts[changelog]}: "
        f"they must be equal. Recreate {changelog} with {counts[log]} partitions"
    )

"""Checks before anything is read: the broker answers, every topic exists, partition counts fit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.ports import StatefulProcessor
from stream_app.engine.failure import RefusalError
from stream_app.engine.settings import EngineSettings

logger = logging.getLogger(__name__)

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 5.0


async def wait_for_topics(settings: EngineSettings, names: Iterable[str]) -> dict[str, int]:
    """Partition counts of the logical topics, waiting for the broker as long as it takes.

    Raises ``RefusalError`` when the broker answers and a topic is missing.
    """
    wait = _FIRST_WAIT
    while True:
        try:
            found = await partition_counts(settings)
        except (KafkaError, OSError) as error:
            logger.warning(
                "no answer from the Kafka broker at %s (%s); trying again in %.1f s",
                settings.bootstrap_servers,
                type(error).__name__,
                wait,
                extra={"event": "broker_unreachable"},
            )
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
            continue
        return _counts_of(settings, names, found)


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
        log, changelog = counts[processor.log], counts[processor.changelog]
        if log != changelog:
            raise RefusalError(
                f"{processor.log} has {log} partitions but {processor.changelog} has {changelog}: "
                f"they must be equal. Recreate {processor.changelog} with {log} partitions"
            )

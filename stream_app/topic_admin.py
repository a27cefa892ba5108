"""Topics on the broker: create those that are missing, look at those that are there. Waits for a broker that is not up yet."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotControllerError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from stream_app.kafka_access.granted import ACLS, require_access
from stream_app.kafka_access.knock import knock
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import PLAIN, AccessDeniedError, ClientSecurity
from stream_app.topics import ExistingTopic, TopicDifference, TopicSpec, creation_config, differences

logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0

PASSING = (
    InvalidReplicationFactorError,  # too few brokers, which is also so while a cluster starts
    KafkaConnectionError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotControllerError,
    RequestTimedOutError,
)
"""Errors that a starting cluster gives and that are worth waiting out."""


class TopicsError(Exception):
    """The broker did not answer, or refused; the message says which and what to do."""


@dataclass
class _Patience:
    """Time left, and growing pauses with jitter between attempts."""

    seconds: float
    _pause: float = FIRST_PAUSE_SECONDS
    _told: bool = False
    _started: float = field(default_factory=time.monotonic)

    async def pause(self, reason: object) -> None:
        """Raises ``TopicsError`` with the reason when the time is over."""
        if time.monotonic() - self._started + self._pause > self.seconds:
            message = f"Gave up after {self.seconds:.0f} s: {reason}"
            raise TopicsError(message)
        if not self._told:
            logger.warning("waiting up to %.0f s: %s", self.seconds, reason, extra={"event": "broker_awaited"})
            self._told = True
        await asyncio.sleep(self._pause * random.uniform(0.7, 1.3))
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)


async def create_topics(
    bootstrap: str,
    specs: Sequence[TopicSpec],
    replication_factor: int = 1,
    *,
    wait_seconds: float = WAIT_SECONDS,
    security: ClientSecurity = PLAIN,
) -> list[str]:
    """Create what is missing and return its names, once every topic has a leader for each partition. Existing ones are left as they are.

    Raises ``TopicsError`` when the broker does not answer or still refuses after ``wait_seconds``, ``AccessDeniedError`` when we may not.
    """
    patience = _Patience(wait_seconds)
    async with _admin(bootstrap, security, patience) as admin:
        created = await _create_missing(admin, specs, replication_factor, security, patience)
        names = {spec.name for spec in specs}
        while waiting := names - await _served(admin, names):
            await patience.pause(f"no leader for {', '.join(sorted(waiting))}")
        return created


async def describe_topics(
    bootstrap: str, specs: Sequence[TopicSpec], *, wait_seconds: float = WAIT_SECONDS, security: ClientSecurity = PLAIN
) -> list[TopicDifference]:
    """Where the topics on the broker differ from the specs in a way that matters. Raises ``TopicsError``, ``AccessDeniedError``."""
    existing = await existing_topics(bootstrap, [spec.name for spec in specs], wait_seconds=wait_seconds, security=security)
    await require_access(bootstrap, security, [Right("topic", spec.name, "DescribeConfigs") for spec in specs])
    return differences(specs, existing)


async def existing_topics(
    bootstrap: str, names: Iterable[str], *, wait_seconds: float = WAIT_SECONDS, security: ClientSecurity = PLAIN
) -> dict[str, ExistingTopic]:
    """Those of the named topics that exist and that we may see, with their settings if we may see those.

    None is created by asking, not even where a broker does so. Raises ``TopicsError``, ``AccessDeniedError``.
    """
    async with _admin(bootstrap, security, _Patience(wait_seconds)) as admin:
        there = sorted(set(names) & set(await admin.list_topics()))
        if not there:
            return {}
        counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(there)}
        configs = await _configs(admin, there)
        return {name: ExistingTopic(counts[name], configs.get(name, {})) for name in there}


@asynccontextmanager
async def _admin(bootstrap: str, security: ClientSecurity, patience: _Patience) -> AsyncIterator[AIOKafkaAdminClient]:
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
        try:
            await knock(bootstrap, security)
            await admin.start()
            break
        except KafkaConnectionError as error:
            await admin.close()
            await patience.pause(error)
    try:
        yield admin
    except KafkaError as error:
        message = f"the broker at {bootstrap} refused: {error}"
        raise TopicsError(message) from error
    finally:
        await admin.close()


async def _create_missing(
    admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replication_factor: int, security: ClientSecurity, patience: _Patience
) -> list[str]:
    created: list[str] = []
    open_specs = {spec.name: spec for spec in specs}
    there = set(await admin.list_topics())
    while wanted := [_new_topic(spec, replication_factor) for name, spec in open_specs.items() if name not in there]:
        refused: dict[str, KafkaError] = {}
        for name, error in (await _ask_to_create(admin, wanted)).items():
            if error is None:
                created.append(name)
            elif not isinstance(error, TopicAlreadyExistsError):
                refused[name] = error
        open_specs = {name: spec for name, spec in open_specs.items() if name in refused}
        if refused:
            await _wait_or_raise(refused, security, patience)
    return created


async def _wait_or_raise(refused: Mapping[str, KafkaError], security: ClientSecurity, patience: _Patience) -> None:
    for name, error in refused.items():
        if isinstance(error, TopicAuthorizationFailedError | ClusterAuthorizationFailedError):
            raise AccessDeniedError(f"the brokers do not allow {security.user} to create topic {name}", ACLS)
        if not isinstance(error, PASSING):
            message = f"the broker refused to create {name}: {error}"
            raise TopicsError(message) from error
    name, error = next(iter(refused.items()))
    await patience.pause(f"the broker refused to create {name}: {error}")


async def _ask_to_create(admin: AIOKafkaAdminClient, wanted: list[NewTopic]) -> dict[str, KafkaError | None]:
    """The outcome per topic; ``None`` is success."""
    try:
        answer = await admin.create_topics(wanted)
    except PASSING as error:
        return dict.fromkeys([topic.name for topic in wanted], error)
    outcomes: dict[str, KafkaError | None] = {}
    for name, code, *message in answer.topic_errors:
        outcomes[name] = for_code(code)(*message) if code else None
    return outcomes


def _new_topic(spec: TopicSpec, replication_factor: int) -> NewTopic:
    return NewTopic(spec.name, spec.partitions, replication_factor, topic_configs=creation_config(spec, replication_factor))


async def _served(admin: AIOKafkaAdminClient, names: set[str]) -> set[str]:
    """Those of the topics that exist with a leader for every partition."""
    there = names & set(await admin.list_topics())
    if not there:
        return set()
    described = await admin.describe_topics(sorted(there))
    return {
        topic["topic"]
        for topic in described
        if topic["partitions"] and all(part["leader"] >= 0 and not part["error_code"] for part in topic["partitions"])
    }


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    found: dict[str, dict[str, str]] = {}
    for answer in answers:
        for _code, _message, _kind, name, entries in answer.resources:
            found[name] = {key: value for key, value, *_ in entries if value is not None}
    return found

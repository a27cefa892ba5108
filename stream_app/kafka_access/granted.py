"""Which of the rights that somebody needs the brokers do not give, by their own word, and before anything is read or written.

aiokafka asks no broker for the authorised operations of a topic, and misreads those of a group: hence two requests of our own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from stream_app.kafka_access.knock import knock
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import AccessDeniedError, ClientSecurity

OPERATION_BITS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
"""Kafka's codes of operations: an answer has the bit of each one that is allowed."""
NOT_TOLD = -(2**31)
COORDINATOR_ATTEMPTS = 50
COORDINATOR_PAUSE_SECONDS = 0.2
"""A cluster on which no group was ever used makes the topic of all groups first, which takes a second or two."""
NAMED_AT_MOST = 3
ACLS = "`deskpulse topics acls` prints the commands that give all rights"


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8")))),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _DescribeGroupsRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(String("utf-8"))), ("include_authorized_operations", Boolean))


class InThisVersion:
    """A request that aiokafka's client sends as it is, in place of one of its own that would choose a version."""

    def __init__(self, request: RequestStruct) -> None:
        self._request = request

    def prepare(self, _versions: Mapping[int, tuple[int, int]]) -> RequestStruct:
        return self._request


async def require_access(bootstrap: str, security: ClientSecurity, rights: Iterable[Right]) -> None:
    """Return if the brokers let us in and give all of these rights.

    Raises ``AccessDeniedError`` with one sentence if they do not, ``NoAnswerError`` and other errors of Kafka when they are not there.
    """
    if missing := await missing_rights(bootstrap, security, rights):
        raise denied(security, missing)


async def missing_rights(bootstrap: str, security: ClientSecurity, rights: Iterable[Right]) -> list[Right]:
    """Those that are not given; none where brokers do not know who we are. Raises as ``require_access`` does when they do not let us in."""
    await knock(bootstrap, security)
    if not security.authenticates:
        return []
    wanted = list(rights)
    async with _client(bootstrap, security) as client:
        given = await _topic_operations(client, sorted({right.name for right in wanted if right.resource == "topic"}))
        for group in {right.name for right in wanted if right.resource == "group"}:
            given["group", group] = await _group_operations(client, group)
    return [right for right in wanted if not allows(given.get((right.resource, right.name), NOT_TOLD), right.operation)]


def allows(operations: int, operation: str) -> bool:
    """Whether the bits of an answer have this operation. An answer without any, of a topic that does not exist, say, denies nothing."""
    return operations == NOT_TOLD or bool(operations >> OPERATION_BITS[operation] & 1)


@asynccontextmanager
async def _client(bootstrap: str, security: ClientSecurity) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **security)
    try:
        await client.bootstrap()
        yield client
    finally:
        await client.close()


async def _topic_operations(client: AIOKafkaClient, topics: Sequence[str]) -> dict[tuple[str, str], int]:
    if not topics:
        return {}
    request = _MetadataRequest(list(topics), False, False, True)
    answer = await client.send(client.get_random_node(), InThisVersion(request))
    denied = TopicAuthorizationFailedError.errno
    return {("topic", name): 0 if code == denied else operations for code, name, _internal, _partitions, operations in answer.topics}


async def _group_operations(client: AIOKafkaClient, group: str) -> int:
    try:
        answer = await client.send(await _coordinator(client, group), InThisVersion(_DescribeGroupsRequest([group], True)))
    except GroupAuthorizationFailedError:
        return 0
    code, *_, operations = answer.groups[0]
    return 0 if code == GroupAuthorizationFailedError.errno else int(operations)


async def _coordinator(client: AIOKafkaClient, group: str) -> int:
    """The broker that looks after the group. Raises ``GroupAuthorizationFailedError``, and what has not passed after all attempts."""
    attempts = COORDINATOR_ATTEMPTS
    while True:
        try:
            node: int = await client.coordinator_lookup(CoordinationType.GROUP, group)
            return node
        except GroupCoordinatorNotAvailableError:
            attempts -= 1
            if not attempts:
                raise
            await asyncio.sleep(COORDINATOR_PAUSE_SECONDS)


def denied(security: ClientSecurity, missing: Sequence[Right]) -> AccessDeniedError:
    """The error that names the user, the first few missing rights, and how to give them."""
    named = ", ".join(str(right) for right in missing[:NAMED_AT_MOST])
    more = f" and {len(missing) - NAMED_AT_MOST} more" if len(missing) > NAMED_AT_MOST else ""
    return AccessDeniedError(f"the brokers do not allow {security.user} to {named}{more}", ACLS)

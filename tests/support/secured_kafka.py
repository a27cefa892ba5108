"""A real Kafka that lets nobody in without TLS, user and password, and to nothing without an ACL."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from stream_app.brokers.kafka import KafkaBroker
from stream_app.brokers.loopback import HOST, free_ports, known_brokers
from stream_app.cli.topics import PRINCIPALS
from stream_app.kafka_access.granted import InThisVersion
from tests.support.certificates import Authority, written

USERS = ADMIN, WORKER, READER, SENDER = tuple(principal.removeprefix("User:") for principal in PRINCIPALS.values())
MECHANISM = "SCRAM-SHA-512"
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class Entry(NamedTuple):
    """One ACL: numbers are Kafka's codes."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


class SecuredKafka(KafkaBroker):
    """``bootstrap`` is SASL_SSL with SCRAM and ACLs. The broker's own business, and ``allow``, go over a plain second listener."""

    def __init__(self) -> None:
        self.passwords = {user: secrets.token_urlsafe(24) for user in USERS}
        self.authority = Authority()
        self._inner_port = free_ports(1)[0]
        super().__init__()
        server = self.authority.issue(HOST)
        keystore = written(self.data_dir / "server.pem", server.key_pem() + server.certificate)
        self.ca_file = written(self.data_dir / "ca.pem", self.authority.certificate_pem())
        self._overrides = self._security(keystore)

    def _security(self, keystore: Path) -> dict[str, object]:
        client, inner = f"CLIENT://{HOST}:{self.port}", f"INNER://{HOST}:{self._inner_port}"
        return {
            "listeners": f"{client},{inner},CONTROLLER://{HOST}:{self._node.controller_port}",
            "advertised.listeners": f"{client},{inner}",
            "listener.security.protocol.map": "CLIENT:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "INNER",
            "sasl.enabled.mechanisms": MECHANISM,
            "listener.name.client.scram-sha-512.sasl.jaas.config": _LOGIN,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": keystore,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    def _format_options(self) -> Sequence[str]:
        users = [f"{MECHANISM}=[name={user},password={password}]" for user, password in self.passwords.items()]
        return [word for user in users for word in ("--add-scram", user)]

    def _serves(self) -> bool:
        return known_brokers(self._inner_port) >= 1

    def allow(self, commands: Iterable[str]) -> None:
        """What these calls of `kafka-acls.sh` would do."""
        asyncio.run(_create(f"{HOST}:{self._inner_port}", [entry for command in commands for entry in entries(command)]))

    def disallow(self, commands: Iterable[str]) -> None:
        """Take the same ACLs away again."""
        asyncio.run(_delete(f"{HOST}:{self._inner_port}", [entry for command in commands for entry in entries(command)]))


_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
_RESOURCES = {"topic": 2, "group": 3}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3


def entries(command: str) -> list[Entry]:
    """The ACLs that a call of `kafka-acls.sh --add` makes. What the tool does not know is not understood here either."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("tool", choices=["kafka-acls.sh"])
    for name in ("--bootstrap-server", "--command-config"):
        parser.add_argument(name)
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--resource-pattern-type", choices=["literal", "prefixed"], default="literal")
    for name in ("--allow-principal", "--operation", "--topic", "--group"):
        parser.add_argument(name, action="append", default=[])
    given = parser.parse_args(shlex.split(command))
    pattern = _PREFIXED if given.resource_pattern_type == "prefixed" else _LITERAL
    return [
        Entry(_RESOURCES[resource], name, pattern, principal, "*", _OPERATIONS[operation], _ALLOW)
        for resource in _RESOURCES
        for name in getattr(given, resource)
        for principal in given.allow_principal
        for operation in given.operation
    ]


_ENTRY = (
    ("resource", Int8),
    ("name", String("utf-8")),
    ("pattern", Int8),
    ("principal", String("utf-8")),
    ("host", String("utf-8")),
    ("operation", Int8),
    ("permission", Int8),
)


class _Created(Response):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(("throttle_time_ms", Int32), ("results", Array(("error_code", Int16), ("error_message", String("utf-8")))))


class _CreateAcls(RequestStruct):  # type: ignore[misc]
    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _Created
    SCHEMA = Schema(("creations", Array(*_ENTRY)))


class _Deleted(Response):  # type: ignore[misc]
    API_KEY = 31
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("matching", Array(("error_code", Int16), ("error_message", String("utf-8")), *_ENTRY)),
            ),
        ),
    )


class _DeleteAcls(RequestStruct):  # type: ignore[misc]
    API_KEY = 31
    API_VERSION = 1
    RESPONSE_TYPE = _Deleted
    SCHEMA = Schema(("filters", Array(*_ENTRY)))


async def _create(bootstrap: str, acls: Sequence[Entry]) -> None:
    results = await _ask(bootstrap, _CreateAcls(list(acls)))
    assert [code for code, _message in results] == [0] * len(acls), results


async def _delete(bootstrap: str, acls: Sequence[Entry]) -> None:
    results = await _ask(bootstrap, _DeleteAcls(list(acls)))
    assert all(code == 0 and len(matching) == 1 for code, _message, matching in results), results


async def _ask(bootstrap: str, request: RequestStruct) -> list[Any]:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        answer = await client.send(client.get_random_node(), InThisVersion(request))
        results: list[Any] = answer.results
        return results
    finally:
        await client.close()

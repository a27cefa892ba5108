"""The AsyncAPI 3 document of all topics; the records themselves are in the schema files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from stream_app.contracts.catalogue import CONTRACTS, Contract, contract_of
from stream_app.contracts.schemas import REFERENCE, Schema
from stream_app.topics import DEFAULT_PREFIX, TopicSpec, topic_specs

Part = dict[str, Any]

SCHEMA_FORMAT = "application/schema+json;version=2020-12"
CHANGELOGS = ("cases-changelog", "customers-changelog")
"""Opaque: MessagePack behind a fence."""

ABOUT = (
    "Live, exact service KPIs from a support organisation's Kafka events. Operations are seen from Deskpulse: it receives the inputs "
    "and sends the outputs. Input topics have the names that the configuration gives them, all others the prefix of "
    "`kafka.topic_prefix`. Channels with `x-internal` are for Deskpulse alone."
)
_TOMBSTONE = " A record without a value says that the key is gone."
_KEYS: dict[str, Part] = {
    "case-events": {"type": "string", "description": "The case's id."},
    "sla-events": {"type": "string", "description": "The case's id."},
    "cases": {"type": "string", "description": "The case's id."},
    "events": {"type": ["string", "null"], "description": "The case's id; null for control records."},
    "customer-log": {"type": ["string", "null"], "description": "The customer's id; null for control records."},
}


def document() -> Part:
    """With default names; the same types give the same document."""
    specs = {spec.name.removeprefix(f"{DEFAULT_PREFIX}."): spec for spec in topic_specs()}
    messages = {name: message for contract in CONTRACTS for name, message in _messages(contract)}
    messages |= {name: {"name": name, "contentType": "application/msgpack", "summary": "Opaque."} for name in CHANGELOGS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Deskpulse",
            "version": version("deskpulse"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, spec) for name, spec in specs.items()},
        "operations": dict(operation for name in specs for operation in _operations(name)),
        "components": {"messages": messages},
    }


def _records(contract: Contract) -> dict[str, Schema]:
    """Definitions of the kinds of record that a topic holds, by name."""
    schema = contract.schema()
    chosen = schema.get("oneOf") or schema.get("anyOf") or [schema]
    names = [part["$ref"].removeprefix(REFERENCE) for part in chosen]
    return {name: schema["$defs"][name] for name in names}


def _message_id(contract: Contract, record: str) -> str:
    """Letters, digits and hyphens only, as the specification wants."""
    return record.replace(".", "-") if contract.direction == "input" else f"{contract.name}-{record}"


def _messages(contract: Contract) -> Iterator[tuple[str, Part]]:
    file = f"./schemas/{contract.file}"
    for record, schema in _records(contract).items():
        name = _message_id(contract, record)
        message: Part = {"name": record, "description": schema["description"]}
        about: Part = {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"{file}{REFERENCE}{record}"}}
        if contract.name == "dead-letters":
            yield name, message | {"contentType": "application/octet-stream", "headers": about}
            continue
        key = contract.schema()["$defs"].get("Key") or _KEYS.get(contract.name)
        yield name, message | {"payload": about} | ({"bindings": {"kafka": {"key": key}}} if key else {})


def _channel(topic: str, spec: TopicSpec) -> Part:
    contract = contract_of(topic)
    names = [_message_id(contract, record) for record in _records(contract)] if contract else [topic]
    compacted = spec.config["cleanup.policy"] == "compact"
    title = contract.title if contract else "State for recovery"
    channel: Part = {
        "address": f"{{prefix}}.{topic}" if spec.ours else topic,
        "description": f"{title}.{_TOMBSTONE if compacted else ''}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {"partitions": spec.partitions, "topicConfiguration": {"cleanup.policy": [spec.config["cleanup.policy"]]}},
        },
    }
    if spec.ours:
        channel["parameters"] = {"prefix": {"default": DEFAULT_PREFIX, "description": "`kafka.topic_prefix` of the configuration."}}
    if contract is None or contract.direction == "internal":
        channel["x-internal"] = True
    return channel


def _operations(topic: str) -> Iterator[tuple[str, Part]]:
    contract = contract_of(topic)
    directions = {"input": ["receive"], "output": ["send"]}.get(contract.direction if contract else "internal", ["send", "receive"])
    for action in directions:
        yield f"{action}-{topic}", {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}

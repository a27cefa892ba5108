"""Published schemas as strict judges of records: what a reader has to tolerate (unknown fields, unknown values) we must not write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator

from agents.ports import Record
from stream_app.contracts.catalogue import contract_of
from stream_app.contracts.fields import KNOWN_VALUES
from stream_app.contracts.schemas import Schema, parts

OUTPUTS = ("kpis", "kpi-windows", "case-events", "sla-events", "cases", "dead-letters", "events", "customer-log", "panes")
FAULTS_SHOWN = 20


def strict(schema: Schema) -> Schema:
    """The schema without the room it leaves for later versions."""
    closed: Schema = orjson.loads(orjson.dumps(schema))
    for part in parts(closed):
        if part.get("additionalProperties") is True:
            part["additionalProperties"] = False
        if KNOWN_VALUES in part:
            part["enum"] = part[KNOWN_VALUES]
    return closed


class RecordJudge:
    """Says what is wrong with records of one topic (logical name)."""

    def __init__(self, topic: str) -> None:
        contract = contract_of(topic)
        assert contract is not None, topic
        schema = strict(contract.schema())
        self._about_headers = topic == "dead-letters"
        self._value = Draft202012Validator(schema)
        self._key = Draft202012Validator(schema["$defs"]["Key"]) if "Key" in schema["$defs"] else None

    def fault(self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> str:
        """What is wrong with a record, or an empty text. A value that is missing is a tombstone."""
        if self._key is not None and key is not None and (found := _fault(self._key, orjson.loads(key))):
            return f"key {key.decode()}: {found}"
        if self._about_headers:
            return _fault(self._value, {name: content.decode() for name, content in headers})
        return _fault(self._value, orjson.loads(value)) if value is not None else ""


class Validation:
    """Judges every record that it is given, and keeps count. ``faults`` are the first ones, for people."""

    def __init__(self) -> None:
        self.records = 0
        self.invalid = 0
        self.faults: list[str] = []
        self._judges: dict[str, RecordJudge] = {}

    def take(self, topic: str, record: Record) -> None:
        """A record of a topic (logical name)."""
        judge = self._judges.get(topic)
        if judge is None:
            judge = self._judges[topic] = RecordJudge(topic)
        self.records += 1
        fault = judge.fault(record.key, record.value, record.headers)
        if fault:
            self.invalid += 1
            if len(self.faults) < FAULTS_SHOWN:
                self.faults.append(f"{topic}@{record.offset}: {fault}")


def _fault(validator: Draft202012Validator, instance: Any) -> str:
    if validator.is_valid(instance):
        return ""
    return "; ".join(f"{error.instance_path}: {error.message}" for error in validator.iter_errors(instance)) + f" in {instance}"

"""Codecs of the two keyed processors: log records, changelog, outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from agents.keyed_codec import KeyedCodec
from agents.ports import Output
from models.cases.items import event_of
from models.durability.fence import Fence, unpack
from models.durability.keyed import KeyedState, Message
from models.durability.marker import Marker
from models.durability.pane import Pane
from models.durability.recovery import FENCE_BYTES, fence_of, seal
from models.events.canonical import Definitions, Mark
from stream_app.wire import canonical, changelog, outputs

_json: Final = msgspec.json.Encoder().encode


class KeyedLogCodec(KeyedCodec):
    """``record``: decodes one of the log; ``encode_row`` and ``decode_row``: its rows in the changelog."""

    def __init__(
        self, name: str, record: Callable[[bytes], Any], encode_row: Callable[[Any], bytes], decode_row: Callable[[bytes, bytes], Any]
    ) -> None:
        self.name = name
        self.record = record
        self.encode_row = encode_row
        self.decode_row = decode_row

    def control(self, value: bytes) -> Mark | Definitions:
        return canonical.decode_control(value)

    def output(self, message: Message) -> Output:
        """A message as a record; a control record has no key."""
        if message.topic == "dead-letters":
            return self._dead_letter(message)
        key = message.key.encode() if message.partition is None else None
        return Output(message.topic, key, None if message.body is None else _json(message.body), message.partition)

    def _dead_letter(self, message: Message) -> Output:
        body = message.body
        item, record = body.get("item"), body.get("record")
        if item is not None:
            record = event_of(item, message.key)
        origin = getattr(record, "origin", "")
        about = {name: body.get(name, "") for name in ("reason", "field", "detail")} | {"origin": origin, "by": self.name}
        position, _, offset = origin.rpartition("@")
        topic, _, partition = position.rpartition("-")
        about |= {"topic": topic, "partition": partition, "offset": offset}
        return Output("dead-letters", message.key.encode(), _json(record), headers=[(name, text.encode()) for name, text in about.items()])

    def row_key(self, key: str) -> bytes:
        return changelog.row_key(key)

    def key_of_row(self, key: bytes) -> str:
        return changelog.key_of_row(key)

    def row(self, row: Any) -> bytes:
        return self.encode_row(row)

    def deleted_row(self, fence: Fence) -> bytes:
        return seal(fence, b"")

    def is_deleted(self, value: bytes) -> bool:
        return len(value) == FENCE_BYTES

    def restore_row(self, key: bytes, value: bytes) -> Any:
        return self.decode_row(key, value)

    def fence_of(self, value: bytes) -> Fence:
        return fence_of(value)

    def pane(self, pane: Pane) -> tuple[bytes, bytes]:
        return changelog.pane_key(pane), changelog.encode_pane(pane)

    def restore_pane(self, key: bytes, value: bytes) -> Pane:
        return changelog.decode_pane(key, value)

    def marker(self, state: KeyedState[Any], fence: Fence) -> tuple[bytes, bytes]:
        return changelog.encode_marker(state, fence)

    def restore_marker(self, value: bytes) -> Marker:
        return changelog.decode_marker(value)

    def published_pane(self, processor: str, partition: int, pane: Pane) -> Output:
        tier, start, cell = pane.id
        fence = unpack(pane.fence)
        value = outputs.deleted_value(fence) if pane.deleted else outputs.pane_value(fence, pane.facts)
        return Output("panes", outputs.pane_key(processor, partition, tier, start, cell), value, 0)

    def forgotten_pane(self, processor: str, partition: int, pane: Pane) -> Output:
        return Output("panes", outputs.pane_key(processor, partition, *pane.id), None, 0)

    def status(self, processor: str, partition: int, body: dict[str, Any]) -> Output:
        return Output("panes", outputs.status_key(processor, partition), _json(body), 0)

    def level(self, processor: str, partition: int, body: dict[str, Any]) -> Output:
        return Output("panes", outputs.level_key(processor, partition), _json(body), 0)


CASES: Final = KeyedLogCodec("cases", canonical.decode_event, changelog.encode_case, changelog.decode_case)
CUSTOMERS: Final = KeyedLogCodec("customers", canonical.decode_contact_version, changelog.encode_customer, changelog.decode_customer)

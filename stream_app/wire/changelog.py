"""Codec of the changelogs: rows, panes and markers as MessagePack behind their fence."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.cases.row import CaseRow
from models.customers.row import CustomerRow
from models.durability.fence import Fence
from models.durability.keyed import KeyedState
from models.durability.marker import Marker
from models.durability.pane import Pane
from models.durability.recovery import MARKER, PANE, ROW, CorruptChangelogError, fence_of, seal
from models.panes.dimensions import Cell
from models.panes.facts import entries
from stream_app.wire.stored_rows import StoredCase, StoredCustomer

_encode: Final = msgspec.msgpack.Encoder().encode
_FLAGGED: Final = frozenset({0, 10})  # ranks of the types whose payload holds a tuple


_decode_case: Final = msgspec.msgpack.Decoder(StoredCase).decode
_decode_customer: Final = msgspec.msgpack.Decoder(StoredCustomer).decode
_decode_marker: Final = msgspec.msgpack.Decoder(Marker).decode
_decode_pane_id: Final = msgspec.msgpack.Decoder(tuple[str, int, Cell]).decode
_decode_facts: Final = msgspec.msgpack.Decoder(dict[str, int]).decode


def row_key(key: str) -> bytes:
    """Changelog key of a row."""
    return ROW + key.encode()


def key_of_row(key: bytes) -> str:
    """The row's own key. Raises ``CorruptChangelogError``."""
    try:
        return key[1:].decode()
    except UnicodeDecodeError as error:
        raise CorruptChangelogError(_message(key, error)) from error


def encode_case(row: CaseRow) -> bytes:
    """A case's row."""
    cells: dict[Cell, int] = {}
    facts = [(fact, at, cells.setdefault(cell, len(cells)), weight) for (fact, at, cell), weight in row.facts.items()]
    stored = (row.wake_at, row.settled_to, row.level, row.size, row.items, facts, row.sent, row.verdicts, list(cells))
    return seal(row.fence, _encode((*stored, sorted(row.withdrawn)) if row.withdrawn else stored))


def decode_case(key: bytes, value: bytes) -> CaseRow:
    """The row again, cold. Raises ``CorruptChangelogError``."""
    try:
        stored = _decode_case(value[8:])
    except msgspec.DecodeError as error:
        raise CorruptChangelogError(_message(key, error)) from error
    row = CaseRow()
    row.fence = fence_of(value)
    row.wake_at, row.settled_to, row.level, row.size = stored.wake_at, stored.settled_to, stored.level, stored.size
    row.items = [(at, rank, event_id, origin, _payload(rank, payload)) for at, rank, event_id, origin, payload in stored.items]
    cells = stored.cells
    row.facts = {(fact, at, cells[cell] if isinstance(cell, int) else cell): weight for fact, at, cell, weight in stored.facts}
    row.sent, row.verdicts, row.withdrawn = stored.sent, stored.verdicts, stored.withdrawn
    return row


def _payload(rank: int, payload: list[Any]) -> tuple[Any, ...]:
    if rank in _FLAGGED:
        return tuple(tuple(part) if isinstance(part, list) else part for part in payload)
    return tuple(payload)


def encode_customer(row: CustomerRow) -> bytes:
    """A customer's row."""
    return seal(row.fence, _encode((row.wake_at, row.settled_to, list(row.contacts.values()), entries(row.facts))))


def decode_customer(key: bytes, value: bytes) -> CustomerRow:
    """The row again. Raises ``CorruptChangelogError``."""
    try:
        stored = _decode_customer(value[8:])
    except msgspec.DecodeError as error:
        raise CorruptChangelogError(_message(key, error)) from error
    row = CustomerRow()
    row.fence = fence_of(value)
    row.wake_at, row.settled_to = stored.wake_at, stored.settled_to
    row.contacts = {contact.key: contact for contact in stored.contacts}
    row.facts = {(fact, at, cell): weight for fact, at, cell, weight in stored.facts}
    return row


def pane_key(pane: Pane) -> bytes:
    """Changelog key of a pane."""
    return PANE + _encode(pane.id)


def encode_pane(pane: Pane) -> bytes:
    """A pane, or that it is deleted."""
    return seal(pane.fence, b"" if pane.deleted else _encode(pane.facts))


def decode_pane(key: bytes, value: bytes) -> Pane:
    """The pane again. Raises ``CorruptChangelogError``."""
    try:
        pane = Pane(_decode_pane_id(key[1:]))
        pane.fence = fence_of(value)
        pane.deleted = len(value) == len(seal(0, b""))
        pane.facts = {} if pane.deleted else _decode_facts(value[8:])
    except msgspec.DecodeError as error:
        raise CorruptChangelogError(_message(key, error)) from error
    return pane


def encode_marker(state: KeyedState[Any], fence: Fence) -> tuple[bytes, bytes]:
    """Key and value of the marker that ends a checkpoint."""
    progress = state.progress
    marker = Marker(
        epoch=state.epoch,
        offset=state.offset,
        sources=progress.sources,
        topics=progress.topics,
        clock=progress.clock,
        watermark=progress.watermark,
        simulated=progress.simulated,
        definitions=state.definitions,
        counters=state.counters,
        seen=state.dimensions.seen,
        beyond_horizon=state.panes.beyond_horizon,
        limits=(state.panes.fast_limit, state.panes.slow_limit),
    )
    return MARKER, seal(fence, _encode(marker))


def decode_marker(value: bytes) -> Marker:
    """The marker again. Raises ``CorruptChangelogError``."""
    try:
        return _decode_marker(value[8:])
    except msgspec.DecodeError as error:
        raise CorruptChangelogError(_message(MARKER, error)) from error


def _message(key: bytes, error: Exception) -> str:
    return (
        f"a changelog record (kind {key[:1]!r}) cannot be read ({type(error).__name__}); the state cannot be trusted."
        " Make it again with `deskpulse state rebuild`"
    )

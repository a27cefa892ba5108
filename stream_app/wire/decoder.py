"""Input bytes to events. Raises ``RejectedError`` and nothing else, whatever the bytes are, and in bounded time."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.events.acceptance import accept, check_version_and_type
from models.events.accepted import Accepted
from models.events.fields import Due
from models.events.instants import Instant, leap_second_ms
from models.events.position import Position
from models.events.rejection import RejectedError
from models.events.submitted import Submitted

SIZE_CAP_BYTES: Final = 1_000_000
"""A larger message is refused unread. An event takes some hundred bytes; Kafka's own default limit is 1 MiB."""

_MAGIC_BYTE: Final = 0
_NULL: Final = msgspec.Raw(b"null")
_FIELDS: Final = frozenset(Submitted.__struct_fields__)
_DUE_FIELDS: Final = frozenset(Due.__struct_fields__)
_INSTANTS: Final = {field.name for struct in (Submitted, Due) for field in msgspec.structs.fields(struct) if field.type == Instant | None}
_LEAP_SECOND_HINT: Final = b":60"

_read: Final = msgspec.json.Decoder(Submitted).decode
_read_any: Final = msgspec.json.Decoder().decode
_read_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decode(value: bytes | None, timestamp: int, origin: str) -> Accepted:
    """One message by the input contract.

    ``timestamp`` is the record's Kafka timestamp in ms, ``origin`` its ``topic-partition@offset``.
    The usual message costs one strict decode; whatever that refuses (an unknown field, a leap
    second, or a real fault) is read again by members, which finds what is acceptable or wrong.
    """
    value = _sized(value)
    position = Position(value, timestamp, origin)
    try:
        submitted = _read(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _accept_by_members(value, position)
    return accept(submitted, position)


def decode_any(value: bytes | None) -> object:
    """The JSON of a message in a shape of its own. Raises ``RejectedError`` for the same reasons as ``decode``."""
    value = _sized(value)
    try:
        return _read_any(value)
    except RecursionError:
        raise RejectedError("too_deep") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        _check_text(value)
        raise RejectedError("not_json", "", f"{error}") from None


def accept_fields(fields: dict[str, Any], timestamp: int, origin: str) -> Accepted:
    """An event of the contract that is decoded already and has its id. Raises ``RejectedError`` and nothing else."""
    position = Position(b"", timestamp, origin)
    try:
        submitted = msgspec.convert(fields, Submitted)
    except msgspec.ValidationError as error:
        return _accept_by_members(_encoded(fields, error), position)
    return accept(submitted, position)


def _encoded(fields: dict[str, Any], refused: msgspec.ValidationError) -> bytes:
    try:
        return msgspec.json.encode(fields)
    except Exception:
        raise _invalid_field(refused) from None


def _sized(value: bytes | None) -> bytes:
    if not value:
        raise RejectedError("empty")
    if len(value) > SIZE_CAP_BYTES:
        raise RejectedError("too_large", "", f"{len(value)} bytes, more than {SIZE_CAP_BYTES}")
    return value


def _accept_by_members(value: bytes, position: Position) -> Accepted:
    _check_text(value)
    members = _members(value)
    check_version_and_type(_plain(members.get("schema")), _plain(members.get("type")))
    known, unknown_fields = _known(members)
    try:
        submitted = _read(msgspec.json.encode(known))
    except msgspec.DecodeError as error:
        raise _invalid_field(error) from None
    accepted = accept(submitted, position)
    accepted.unknown_fields = unknown_fields
    return accepted


def _check_text(value: bytes) -> None:
    if value[0] == _MAGIC_BYTE:
        raise RejectedError("schema_registry_bytes", "", "magic byte 0: not JSON, but framed by a schema registry")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise RejectedError("not_utf8", "", f"{error.reason} at byte {error.start}") from None


def _members(value: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _read_members(value)
    except msgspec.ValidationError as error:
        raise RejectedError("not_an_object", "", f"{error}") from None
    except msgspec.DecodeError as error:
        raise RejectedError("not_json", "", f"{error}") from None
    except RecursionError:
        raise RejectedError("too_deep") from None


def _plain(raw: msgspec.Raw | None) -> object:
    """A text or an integer as it is, anything else as a text that is no version and no type."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=str | int | None)
    except msgspec.DecodeError:
        return "not a text"


def _known(members: dict[str, msgspec.Raw]) -> tuple[dict[str, Any], int]:
    """The members that the contract has, nulls left out, leap seconds put into milliseconds, and how many others there were."""
    known: dict[str, Any] = {name: _normal(name, raw) for name, raw in members.items() if name in _FIELDS and raw != _NULL}
    unknown_fields = sum(name not in _FIELDS for name in members)
    if bytes(members.get("due", b""))[:1] == b"{":
        due = _members(bytes(members["due"]))
        known["due"] = {name: _normal(name, raw) for name, raw in due.items() if name in _DUE_FIELDS}
        unknown_fields += len(due) - len(known["due"])
    return known, unknown_fields


def _normal(name: str, raw: msgspec.Raw) -> msgspec.Raw | int:
    if name not in _INSTANTS or _LEAP_SECOND_HINT not in bytes(raw):
        return raw
    instant = leap_second_ms(bytes(raw).decode().strip('"'))
    return raw if instant is None else instant


def _invalid_field(error: msgspec.DecodeError) -> RejectedError:
    detail, _, path = f"{error}".rpartition(" - at `$.")
    return RejectedError("invalid_field", path.rstrip("`"), detail)

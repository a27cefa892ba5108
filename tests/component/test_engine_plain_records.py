"""Records without aiokafka's copy of each: the same ones, at the same positions, refused for the same reasons."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord, TopicPartition

from stream_app.engine.plain_records import deliver_plain_records

TP = TopicPartition("events", 2)
LENGTH_OF_BASE_OFFSET = 8
CHECKSUM, LAST_OF_ATTRIBUTES, CONTROL = 17, 22, 0x20
WRITTEN: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
    (b"a", b"1", []),
    (None, b"2", [("deskpulse-simulated", b"1")]),
    (b"c", None, []),
    (b"", b"", [("x", b""), ("y", b"2")]),
]


def batch(base_offset: int, compression: int = 0) -> bytes:
    """A batch of format v2; its offset is no part of what its checksum covers."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 65_536)
    for number, (key, value, headers) in enumerate(WRITTEN):
        builder.append(number, 1_700_000_000_000 + number, key, value, headers)
    return struct.pack(">q", base_offset) + bytes(builder.build())[LENGTH_OF_BASE_OFFSET:]


class Assignment:
    """One partition that is read from ``position`` on."""

    active = True

    def __init__(self, position: int) -> None:
        self.position, self.paused = position, False

    def state_value(self, _: Any) -> Assignment:
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetched(data: bytes, begin: int, *, plain: bool) -> tuple[FetchResult, Assignment]:
    """What a consumer keeps of an answer of its broker."""
    consumer = SimpleNamespace(_fetcher=SimpleNamespace(_records={}))
    if plain:
        deliver_plain_records(consumer)
    assignment = Assignment(begin)
    records = PartitionRecords(TP, MemoryRecords(data), None, begin, None, None, True, 0)
    consumer._fetcher._records[TP] = FetchResult(TP, assignment=assignment, partition_records=records, backoff=0)
    return consumer._fetcher._records[TP], assignment


def content(record: Any) -> tuple[Any, ...]:
    return record.offset, record.timestamp, record.key, record.value, tuple(record.headers)


@pytest.mark.parametrize("begin", [10, 12, 13])
@pytest.mark.parametrize("compression", [0, 1], ids=["plain", "gzip"])
def test_records_and_positions_are_those_of_the_consumers_own(begin: int, compression: int) -> None:
    data = batch(10, compression) + batch(14, compression)
    theirs, their_place = fetched(data, begin, plain=False)
    ours, our_place = fetched(data, begin, plain=True)

    expected, found = theirs.getall(), ours.getall()

    assert [content(record) for record in found] == [content(record) for record in expected]
    assert [record.offset for record in found] == list(range(begin, 18))
    assert isinstance(expected[0], ConsumerRecord)
    assert not isinstance(found[0], ConsumerRecord)
    assert our_place.position == their_place.position == 18
    assert not ours.has_more()


def test_records_that_are_the_brokers_own_are_left_out() -> None:
    markers = bytearray(batch(10))
    markers[LAST_OF_ATTRIBUTES] |= CONTROL
    struct.pack_into(">I", markers, CHECKSUM, calc_crc32c(bytes(markers[CHECKSUM + 4 :])))
    for plain in (False, True):
        found, place = fetched(bytes(markers) + batch(14), 10, plain=plain)
        assert [record.offset for record in found.getall()] == [14, 15, 16, 17]
        assert place.position == 18


def test_bytes_with_a_wrong_checksum_are_refused() -> None:
    data = bytearray(batch(10))
    data[-1] ^= 1
    ours, _ = fetched(bytes(data), 10, plain=True)
    with pytest.raises(CorruptRecordException):
        ours.getall()


def test_an_error_in_place_of_records_stays_as_it_is() -> None:
    consumer = SimpleNamespace(_fetcher=SimpleNamespace(_records={TP: "an answer that was there before"}))
    deliver_plain_records(consumer)
    consumer._fetcher._records[TP] = error = object()
    assert consumer._fetcher._records == {TP: error}

"""Records straight from aiokafka's parser, batch by batch, and into its batches, without the steps in Python between.

The parser's record has all that ``agents.ports.Record`` names. Copying its fields into a ``ConsumerRecord`` takes about 1 µs,
twice as long as parsing it; handing each on by itself takes another quarter.
"""
# ruff: noqa: SLF001 - as in ``faust_transport``: what is replaced is listed in its ``OVERRIDES``

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import aiokafka
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.producer.message_accumulator import BatchBuilder


def deliver_plain_records(consumer: aiokafka.AIOKafkaConsumer) -> None:
    """From now on this started consumer hands out the parser's records: no topic, no partition, no sizes in them."""
    fetcher: Fetcher = consumer._fetcher
    fetcher._records = _PlainResults(fetcher._records)


class _PlainResults(OrderedDict[Any, Any]):
    """The fetcher's results by partition; those with records are changed as they come in."""

    def __setitem__(self, tp: Any, found: Any) -> None:
        if type(found) is FetchResult:
            found._partition_records.__class__ = _PlainRecords
        super().__setitem__(tp, found)


class _PlainRecords(PartitionRecords):  # type: ignore[misc]
    next_fetch_offset: int

    def __iter__(self) -> Iterator[Any]:
        """All records that are left; to be read to the end, as the position moves with whole batches."""
        self._records_iterator = None  # the base class's own, not begun: it and this object hold each other
        return chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterable[Any]]:
        """As ``_unpack_records``, for a consumer that reads what is not committed too."""
        batches = self._records
        while batches.has_next():
            batch = batches.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not batch.is_control_batch:
                first = self.next_fetch_offset
                records = list(batch)
                yield records if records and records[0].offset >= first else [record for record in records if record.offset >= first]
            self.next_fetch_offset = batch.next_offset


def build_plain_batches(producer: aiokafka.AIOKafkaProducer) -> None:
    """From now on batches that this producer creates are filled by ``add`` and ended by ``close_with``."""
    accumulator = producer._message_accumulator
    create = accumulator.create_builder

    def create_plain(*args: Any, **options: Any) -> BatchBuilder:
        builder = create(*args, **options)
        builder.__class__ = _PlainBuilder
        return builder

    accumulator.create_builder = create_plain


class _PlainBuilder(BatchBuilder):  # type: ignore[misc]
    """Filled without serialisers, and without a count of its own: who fills it numbers the records."""

    @property
    def add(self) -> Callable[[int, int | None, bytes | None, bytes | None, Any], Any]:
        """Number in the batch, timestamp (ms; ``None``: now), key, value, headers; answers ``None`` when the record does not fit."""
        add: Callable[[int, int | None, bytes | None, bytes | None, Any], Any] = self._builder.append
        return add

    def close_with(self, count: int) -> None:
        """No more records: there are ``count``."""
        self._relative_offset = count
        self.close()

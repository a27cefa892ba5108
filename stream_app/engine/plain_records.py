"""Records straight from aiokafka's parser and into its batches, without the steps in Python between.

The parser's record has all that ``agents.ports.Record`` names. Copying its fields into a ``ConsumerRecord`` takes about 1 µs,
twice as long as parsing it: more than half of what a consumed record costs.
"""
# ruff: noqa: SLF001 - as in ``faust_transport``: what is replaced is listed in its ``OVERRIDES``

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import aiokafka
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
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
    def __iter__(self) -> Iterator[Any]:
        iterator: Iterator[Any] = self._records_iterator
        return iterator

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        return record


def build_plain_batches(producer: aiokafka.AIOKafkaProducer) -> None:
    """From now on batches that this producer creates take keys and values as they are."""
    accumulator = producer._message_accumulator
    create = accumulator.create_builder

    def create_plain(*args: Any, **options: Any) -> BatchBuilder:
        builder = create(*args, **options)
        builder.__class__ = _PlainBuilder
        return builder

    accumulator.create_builder = create_plain


class _PlainBuilder(BatchBuilder):  # type: ignore[misc]
    _closed: bool

    def append(self, *, timestamp: float | None, key: bytes | None, value: bytes | None, headers: Any = ()) -> Any:
        """As in the base class, without serialisers and without options that the outbox does not use."""
        if self._closed:
            return None
        metadata = self._builder.append(self._relative_offset, timestamp, key=key, value=value, headers=headers)
        if metadata is None:
            self._closed = True
        else:
            self._relative_offset += 1
        return metadata

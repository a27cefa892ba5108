"""Consumed records as aiokafka's parser makes them, without the copy that its consumer makes of each.

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

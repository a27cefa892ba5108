"""Fetching for partitions that are being opened."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

from aiokafka.errors import NoOffsetForPartitionError
from aiokafka.structs import TopicPartition
from faust.types import TP

from stream_app.engine.faust_transport import BatchConsumerThread


class FindsNoOffset:
    """A fetcher that learns, while it waits, that the group never committed for a partition."""

    def __init__(self) -> None:
        self._records: dict[TopicPartition, Any] = {}
        self._subscriptions = SimpleNamespace(fetch_context=nullcontext)

    async def fetched_records(self, *_: Any, **__: Any) -> Any:
        raise NoOffsetForPartitionError(TopicPartition("panes", 0))


async def test_a_partition_opened_while_its_missing_offset_is_found_out_is_fetched_next_time() -> None:
    thread = cast("Any", object.__new__(BatchConsumerThread))
    thread._consumer = SimpleNamespace(_fetcher=FindsNoOffset())
    thread.consumer = SimpleNamespace(flow_active=True)
    thread._positions = {TP("panes", 0): (3, 17)}

    batches = await thread._fetch_records(thread._consumer, {TP("panes", 0)}, 0.1)

    assert batches == {}
    assert thread._positions == {TP("panes", 0): (3, 17)}

"""The board's consumer against the embedded broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream_app.board.consumer import KafkaFeed
from stream_app.board.feed import FeedBatch
from stream_app.board.state import BoardState
from stream_app.brokers.embedded import EmbeddedBroker
from tests.browser.board_feed import breached, kpi, watermark

pytestmark = pytest.mark.embedded


async def _create_topics(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{prefix}.kpis", 1, 1), NewTopic(f"{prefix}.sla-events", 2, 1)])
    finally:
        await admin.close()


async def _until_caught_up(batches: AsyncIterator[FeedBatch], state: BoardState) -> list[FeedBatch]:
    seen: list[FeedBatch] = []
    async with asyncio.timeout(30):
        async for batch in batches:
            seen.append(batch)
            state.apply(batch.records)
            if batch.caught_up:
                return seen
    raise AssertionError("the feed ended")


async def test_everything_published_before_is_read_before_the_feed_has_caught_up_and_then_what_follows(
    embedded: EmbeddedBroker, prefix: str
) -> None:
    await _create_topics(embedded.bootstrap, prefix)
    state = BoardState()
    async with AIOKafkaProducer(bootstrap_servers=embedded.bootstrap) as producer, aclosing(
        KafkaFeed(embedded.bootstrap, prefix).batches()
    ) as batches:  # fmt: skip
        for record in [*(kpi("opened", number, "30m", {"queue": f"q{number}"}) for number in range(300)), watermark()]:
            await producer.send_and_wait(f"{prefix}.kpis", record.value, key=record.key)
        await _until_caught_up(batches, state)
        assert len(state.all_rows()) == 300
        late = [kpi("opened", 5, "60m"), breached("C-1")]
        for record in late:
            await producer.send_and_wait(f"{prefix}.{record.topic}", record.value, key=record.key)
        async with asyncio.timeout(30):
            async for batch in batches:
                state.apply(batch.records)
                if len(state.all_rows()) == 301 and state.breaches.latest():
                    break
        assert orjson.dumps(state.breaches.latest()[0]["case_id"]) == b'"C-1"'


async def test_missing_topics_are_reported_in_plain_words_and_waited_for(embedded: EmbeddedBroker, prefix: str) -> None:
    state = BoardState()
    async with aclosing(KafkaFeed(embedded.bootstrap, prefix).batches()) as batches:
        async with asyncio.timeout(30):
            first = await anext(batches)
        assert first.problem == f"The topic {prefix}.kpis does not exist yet."
        assert not first.caught_up
        await _create_topics(embedded.bootstrap, prefix)
        await _until_caught_up(batches, state)


async def test_an_absent_broker_is_reported_and_never_raised() -> None:
    async with aclosing(KafkaFeed("127.0.0.1:1", "deskpulse").batches()) as batches, asyncio.timeout(30):
        batch = await anext(batches)
    assert not batch.connected
    assert batch.problem.startswith("No connection to the broker 127.0.0.1:1")

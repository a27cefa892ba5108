"""Faust's transport in batches: every override of Faust's internals stands here, in ``plain_records`` and in ``faust_app``.

Faust keeps what it is good at: the consumer group, its assignor, the rebalance protocol, streams and agents.
Replaced are: how records are fetched (one message per partition batch), where a partition starts (the engine
says so), and commits (the checkpoint's only). ``OVERRIDES`` lists the methods replaced or relied on; a test
fails when the source of one changes.
"""
# ruff: noqa: SLF001 - private members of Faust and aiokafka are used in the modules that ``OVERRIDES`` speaks of and nowhere else

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from time import monotonic
from typing import Any, ClassVar, TypeVar, cast

import aiokafka
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator, MessageBatch
from aiokafka.producer.sender import SendProduceReqHandler
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.app import App
from faust.serializers.schemas import Schema
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream_app.engine.batches import LiveSet, LogEnd, PartitionBatch
from stream_app.engine.failure import ExitCode, FailStop
from stream_app.engine.plain_records import deliver_plain_records
from stream_app.engine.settings import EngineSettings

Result = TypeVar("Result")

#: Methods of Faust and aiokafka that are replaced, or whose exact course this package relies on.
OVERRIDES: tuple[Any, ...] = (
    App.on_first_start,
    App._on_partitions_revoked,
    App._on_partitions_assigned,
    App._stop_consumer,
    Schema.compile,
    Recovery._resume_streams,
    Consumer.getmany,
    Consumer.commit,
    Consumer.perform_seek,
    Consumer.on_partitions_revoked,
    Consumer.on_buffer_full,
    Consumer.on_buffer_drop,
    Consumer._drain_messages,
    driver.Consumer._new_consumer_thread,
    driver.Consumer.verify_event_path,
    driver.AIOKafkaConsumerThread.on_start,
    driver.AIOKafkaConsumerThread._create_worker_consumer,
    driver.AIOKafkaConsumerThread._fetch_records,
    Fetcher.__init__,
    Fetcher._get_actions_per_node,
    Fetcher.fetched_records,
    Fetcher._proc_fetch_request,
    FetchResult.getall,
    PartitionRecords.__init__,
    PartitionRecords.__iter__,
    PartitionRecords.__next__,
    PartitionRecords._unpack_records,
    BatchBuilder.append,
    MessageAccumulator.create_builder,
    MessageBatch.expired,
    SendProduceReqHandler._can_retry,
)


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with explicit positions and batches instead of records."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settings: EngineSettings = cast("Any", self.app).engine_settings
        #: Per open partition: the epoch of its last seek and the position after its last fetched batch.
        self._positions: dict[TP, tuple[int, int]] = {}

    async def on_start(self) -> None:
        await super().on_start()
        # A partition whose records wait would hold up fetching all others of its broker for 100 ms.
        self._ensure_consumer()._fetcher._prefetch_backoff = self.settings.fetch_wait
        deliver_plain_records(self._ensure_consumer())

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        settings = self.settings
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap_servers,
            client_id=self.app.conf.broker_client_id,
            group_id=settings.group_id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=settings.fetch_bytes,
            fetch_max_wait_ms=max(1, int(settings.fetch_wait * 1000)),
            fetch_min_bytes=settings.fetch_least_bytes,
            request_timeout_ms=int(settings.request_timeout * 1000),
            session_timeout_ms=int(settings.session_timeout * 1000),
            rebalance_timeout_ms=int(settings.rebalance_timeout * 1000),
            heartbeat_interval_ms=int(settings.heartbeat_interval * 1000),
            max_poll_interval_ms=int(settings.stall_timeout * 10_000),  # the watchdog judges much earlier
            **settings.security,
        )

    async def _fetch_records(  # type: ignore[override]
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> dict[TP, PartitionBatch]:
        """Fetch for ``active_partitions`` (a live set), all there is; the positions move with what is returned."""
        del max_records  # a limit would cut batches, of which the position moves with whole ones only
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        _forget_missing_offsets(fetcher)
        with fetcher._subscriptions.fetch_context():
            try:
                drained = await fetcher.fetched_records(active_partitions, timeout=timeout)
            except NoOffsetForPartitionError:  # found out while waiting, of a partition that was opened meanwhile; nothing was drained
                return {}
        batches = {}
        for partition, records in drained.items():
            tp = TP(partition.topic, partition.partition)
            state = self._state(partition)
            if state is None:
                continue
            epoch, start = self._positions.get(tp, (-1, -1))
            position = state.position
            self._positions[tp] = (epoch, position)
            batches[tp] = PartitionBatch(tp, epoch, start, position, state.highwater or position, records)
        return batches

    async def run_here(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on this thread's loop and wait for it from the main loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))

    async def seek_in_epoch(self, tp: TP, epoch: int, offset: int) -> None:
        self._ensure_consumer().seek(tp, offset)
        self._positions[tp] = (epoch, offset)

    async def committed_offset(self, tp: TP) -> int | None:
        offset: int | None = await self._ensure_consumer().committed(tp)
        return offset

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False when the group has moved on and the partitions are no longer ours."""
        try:
            await self._ensure_consumer().commit({TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()})
        except (CommitFailedError, IllegalStateError):
            return False
        return True

    async def ends(self, tps: Iterable[TP]) -> dict[TP, LogEnd]:
        """Where each log ends (the greater of both ways to ask) and how far the fetcher is."""
        consumer = self._ensure_consumer()
        answered = await consumer.end_offsets(list(tps))
        ends = {}
        for partition, end in answered.items():
            state = self._state(partition)
            if state is None:
                continue
            tp = TP(partition.topic, partition.partition)
            delivered = self._positions.get(tp, (-1, -1))[1]
            ends[tp] = LogEnd(max(end, state.highwater or 0), delivered, state.position)
        return ends

    async def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = await self._ensure_consumer().end_offsets(list(partitions))
        return ends

    def _state(self, tp: TP) -> Any:
        """The fetcher's state of an assigned partition with a position, else None."""
        subscription = self._ensure_consumer()._subscription.subscription
        if subscription is None or subscription.assignment is None or tp not in subscription.assignment.tps:
            return None
        state = subscription.assignment.state_value(tp)
        return state if state.has_valid_position else None

    def wake(self) -> None:
        """Make a waiting fetch look at its set of partitions again."""
        self.thread_loop.call_soon_threadsafe(self._wake_fetch)

    def _wake_fetch(self) -> None:
        if self._consumer is None:
            return
        fetcher = self._consumer._fetcher
        for waiter in list(fetcher._fetch_waiters):
            fetcher._notify(waiter)


def _forget_missing_offsets(fetcher: Any) -> None:
    """Drop "no committed offset" errors: the engine names every start position itself."""
    for tp, found in list(fetcher._records.items()):
        if isinstance(getattr(found, "_error", None), NoOffsetForPartitionError):
            del fetcher._records[tp]


class BatchConsumer(driver.Consumer):
    """Faust's consumer, fetching only what the engine has opened and committing only what it says."""

    _thread: BatchConsumerThread
    #: Batches of one partition that may wait for their agent.
    prefetch: ClassVar[int] = 2

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open = LiveSet()
        self._wanted = LiveSet()
        self._paused: set[TP] = set()
        self._backlog: dict[TP, list[float]] = {}
        self.polled_at = monotonic()
        self._fail: FailStop = cast("Any", self.app).engine_fail

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- what the engine calls

    async def open_partition(self, tp: TP, epoch: int, offset: int) -> None:
        """Deliver ``tp`` from ``offset`` on, its batches marked with ``epoch``."""
        await self._thread.run_here(self._thread.seek_in_epoch(tp, epoch, offset))
        self._backlog.pop(tp, None)
        self._open.add(tp)
        self._update(tp)

    def close_partitions(self, tps: Iterable[TP]) -> None:
        for tp in list(tps):
            self._open.discard(tp)
            self._paused.discard(tp)
            self._backlog.pop(tp, None)
            self._wanted.discard(tp)

    def set_paused(self, tps: set[TP]) -> None:
        """Stop fetching these partitions and fetch all other open ones."""
        changed = tps ^ self._paused
        self._paused = set(tps)
        for tp in changed:
            self._update(tp)

    def batch_done(self, tp: TP) -> None:
        """An agent is done with a batch: there is room for another one."""
        waiting = self._backlog.get(tp)
        if waiting:
            waiting.pop(0)
            self._update(tp)

    def oldest_waiting(self) -> float | None:
        """Monotonic time at which the oldest batch still not done was delivered."""
        return min((waiting[0] for waiting in self._backlog.values() if waiting), default=None)

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        return await self._thread.run_here(self._thread.commit_offsets(offsets))

    async def committed_offset(self, tp: TP) -> int | None:
        return await self._thread.run_here(self._thread.committed_offset(tp))

    async def ends(self, tps: Iterable[TP]) -> dict[TP, LogEnd]:
        return await self._thread.run_here(self._thread.ends(tps))

    async def log_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where partitions end that this worker need not own. Raises ``KafkaError``."""
        return await self._thread.run_here(self._thread.log_ends(partitions))

    def _update(self, tp: TP) -> None:
        wanted = tp in self._open and tp not in self._paused and len(self._backlog.get(tp, ())) < self.prefetch
        if not wanted:
            self._wanted.discard(tp)
        elif tp not in self._wanted:
            self._wanted.add(tp)
            self._thread.wake()

    # -- what Faust calls

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message per partition batch: value = the batch, offset = its last record's."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
        try:
            batches = cast("dict[TP, PartitionBatch]", await self._thread.getmany(self._wanted, timeout))
        except OffsetOutOfRangeError as error:
            self._fail(f"reading stands outside what a topic holds: {error}", ExitCode.OFFSET_OUT_OF_RANGE)
            return
        except KafkaError as error:
            if not self.should_stop:
                self._fail("fetching failed", cause=error)
            return
        self.polled_at = monotonic()
        for tp, batch in batches.items():
            if not self.flow_active or self.should_stop:
                return
            if tp not in self._open:
                continue
            self._backlog.setdefault(tp, []).append(monotonic())
            self._update(tp)
            self._read_offset[tp] = None
            yield tp, self._batch_message(batch)

    def _batch_message(self, batch: PartitionBatch) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            batch.tp.topic,
            batch.tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            0,
            None,
            None,
            cast("Any", batch),
            None,
            0,
            0,
            batch.tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Nothing: each partition was sought when the engine opened it."""
        self._read_offset.clear()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Nothing: the checkpoint commits."""
        return False

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.close_partitions(set(self._open))
        await super().on_partitions_revoked(revoked)

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: the prefetch limit is smaller than Faust's buffers."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Nothing, as above."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: the engine has its own watchdog, which ends the process instead of logging."""


class BatchTransport(driver.Transport):
    """Faust's aiokafka driver with the batch consumer."""

    Consumer: ClassVar[type[BatchConsumer]] = BatchConsumer


def keep_retrying(producer: aiokafka.AIOKafkaProducer, seconds: float) -> None:
    """Try undelivered batches again for ``seconds``; the client's own limit is its request timeout."""
    producer._message_accumulator._batch_ttl = seconds

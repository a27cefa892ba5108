"""Every override of Faust's internals, in one place.

Faust keeps what it is good at: the consumer group, its assignor, the rebalance protocol, streams and agents.
Replaced are: how records are fetched (one message per partition batch), where a partition starts (the engine
says so), and commits (the checkpoint's only). ``OVERRIDES`` lists the replaced methods; a test fails when
the source of one changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, ClassVar, TypeVar, cast

import aiokafka
import faust
import faust.streams
from aiokafka.errors import CommitFailedError, IllegalStateError, NoOffsetForPartitionError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.app.base import BootStrategy
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from yarl import URL

from agents.ports import Record
from stream_app.engine.failure import RefusalError
from stream_app.engine.settings import EngineSettings

Result = TypeVar("Result")

#: Faust methods that are replaced or whose exact course this module relies on.
OVERRIDES: tuple[Any, ...] = (
    faust.App.on_first_start,
    faust.App._on_partitions_revoked,
    faust.App._on_partitions_assigned,
    faust.App._stop_consumer,
    Recovery._resume_streams,
    FaustConsumer.getmany,
    FaustConsumer.commit,
    FaustConsumer.perform_seek,
    FaustConsumer.on_partitions_revoked,
    FaustConsumer.on_buffer_full,
    FaustConsumer.on_buffer_drop,
    FaustConsumer._drain_messages,
    faust.Schema.compile,
    driver.Consumer._new_consumer_thread,
    driver.Consumer.verify_event_path,
    driver.AIOKafkaConsumerThread._create_worker_consumer,
    driver.AIOKafkaConsumerThread._fetch_records,
    aiokafka.consumer.fetcher.Fetcher.fetched_records,
)


@dataclass(slots=True)
class PartitionBatch:
    """Records of one fetch of one partition, contiguous with the batch before in the same ``epoch``.

    ``start`` is the position the fetch began at, ``next`` the one after it (beyond the last record where
    the log has control records or compacted holes), ``highwater`` the log's end as the fetch saw it.
    """

    tp: TP
    epoch: int
    start: int
    next: int
    highwater: int
    records: list[Record]


@dataclass(slots=True, frozen=True)
class LogEnd:
    """``end`` of the log; ``delivered``: position after the last batch handed out; ``position``: the fetcher's,
    beyond ``delivered`` only by records that nobody gets to see (control records, compacted holes)."""

    end: int
    delivered: int
    position: int


class LiveSet(set[TP]):
    """A set that is true even when empty: aiokafka takes an empty set of partitions for all of them."""

    def __bool__(self) -> bool:
        return True


class BatchSchema(faust.Schema):
    """Hands a message on as it is: bytes are decoded by the processors, never by Faust."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001 - Faust's signature
            return app.create_event(None, message.value, None, message)

        return decode


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with explicit positions and batches instead of records."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settings = cast(EngineSettings, self.app.engine_settings)
        #: Per open partition: the epoch of its last seek and the position after its last fetched batch.
        self._positions: dict[TP, tuple[int, int]] = {}

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:  # noqa: ARG002
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
            request_timeout_ms=int(settings.request_timeout * 1000),
            session_timeout_ms=int(settings.session_timeout * 1000),
            rebalance_timeout_ms=int(settings.rebalance_timeout * 1000),
            heartbeat_interval_ms=int(settings.heartbeat_interval * 1000),
            max_poll_interval_ms=int(settings.stall_timeout * 10_000),  # the watchdog judges much earlier
            **settings.security,
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> dict[TP, PartitionBatch]:
        """Fetch for ``active_partitions`` (a live set); the positions move with what is returned."""
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        _forget_missing_offsets(fetcher)
        with fetcher._subscriptions.fetch_context():
            drained = await fetcher.fetched_records(active_partitions, timeout=timeout, max_records=max_records)
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
            await self._ensure_consumer().commit(
                {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
            )
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

    def _state(self, tp: TP) -> Any:
        """aiokafka's state of an assigned partition with a position, else None."""
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
            await self.wait(self.can_resume_flow)
        batches = cast(dict[TP, PartitionBatch], await self._thread.getmany(self._wanted, timeout))
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
            cast(Any, batch),
            None,
            0,
            0,
            batch.tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Nothing: each partition was sought when the engine opened it."""
        self._read_offset.clear()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002
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


class _WithoutExtras(BootStrategy):
    """No web server, no producer of Faust's (the outbox is the only writer), no sensors."""

    enable_web = False
    enable_kafka_producer = False
    enable_sensors = False


class EngineApp(faust.App):
    """A Faust app that binds no port and writes no directory."""

    BootStrategy = _WithoutExtras
    engine_settings: EngineSettings

    async def on_first_start(self) -> None:
        """Faust would create a data directory here; nothing is kept on disk."""


def create_faust_app(settings: EngineSettings) -> EngineApp:
    """The Faust app of one worker, with no agents yet."""
    if faust.streams._CStreamIterator is None:
        raise RefusalError("Faust runs without its compiled stream iterator (is NO_CYTHON set?): reinstall faust-streaming")
    app = EngineApp(
        settings.group_id,
        broker=f"aiokafka://{settings.bootstrap_servers.split(',')[0]}",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        reply_create_topic=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=4096,
        table_standby_replicas=0,
        broker_session_timeout=settings.session_timeout,
        broker_request_timeout=max(settings.request_timeout, settings.session_timeout),
        broker_rebalance_timeout=settings.rebalance_timeout,
        broker_heartbeat_interval=settings.heartbeat_interval,
    )
    app.engine_settings = settings
    app.transport = BatchTransport([URL(f"aiokafka://{settings.bootstrap_servers.split(',')[0]}")], app)
    return app


def add_agent(app: EngineApp, topic: str, handle: Callable[[PartitionBatch], Awaitable[None]]) -> None:
    """Consume ``topic`` with one agent that hands whole batches to ``handle``, which must not raise."""
    channel = app.topic(topic, schema=BatchSchema(), acks=False, key_type=bytes, value_type=bytes)

    async def consume(stream: Any) -> None:
        async for batch in stream:
            await handle(batch)

    app.agent(channel, name=f"engine-{topic}")(consume)

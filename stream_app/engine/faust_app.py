"""The Faust app of a worker: no web server, no data directory, no producer; agents that get whole batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import faust
from faust import streams
from faust.app.base import BootStrategy
from faust.types import TP
from yarl import URL

from stream_app.engine.batches import PartitionBatch
from stream_app.engine.failure import FailStop, RefusalError
from stream_app.engine.faust_transport import BatchConsumer, BatchTransport
from stream_app.engine.settings import EngineSettings


class BatchSchema(faust.Schema[Any, Any]):
    """Hands a message on as it is: bytes are decoded by the processors, never by Faust."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        async def decode(message: Any, **_propagate: bool) -> Any:
            return app.create_event(None, message.value, None, message)

        return decode


class _WithoutExtras(BootStrategy):
    """No web server, no producer of Faust's (the outbox is the only writer), no sensors."""

    enable_web = False
    enable_kafka_producer = False
    enable_sensors = False


class EngineApp(faust.App):
    """A Faust app that binds no port and writes no directory."""

    BootStrategy = _WithoutExtras
    engine_settings: EngineSettings
    engine_fail: FailStop

    @property
    def batch_consumer(self) -> BatchConsumer | None:
        """The consumer, once Faust has made it."""
        return cast("BatchConsumer | None", self._consumer)

    async def on_first_start(self) -> None:
        """Faust would create a data directory here; nothing is kept on disk."""


def create_faust_app(settings: EngineSettings, fail: FailStop) -> EngineApp:
    """The Faust app of one worker, with no agents yet."""
    if getattr(streams, "_CStreamIterator", None) is None:
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
    app.engine_fail = fail
    app.transport = BatchTransport([URL(f"aiokafka://{settings.bootstrap_servers.split(',')[0]}")], app)
    return app


def add_agent(app: EngineApp, topic: str, handle: Callable[[PartitionBatch], Awaitable[None]]) -> None:
    """Consume ``topic`` with one agent that hands whole batches to ``handle``, which must not raise."""
    channel = app.topic(topic, schema=BatchSchema(), acks=False, key_type=bytes, value_type=bytes)

    async def consume(stream: Any) -> None:
        async for batch in stream:
            await handle(batch)

    app.agent(channel, name=f"engine-{topic}")(consume)


def follow_rebalances(
    app: EngineApp, assigned: Callable[[set[TP]], Awaitable[None]], revoked: Callable[[set[TP]], Awaitable[None]]
) -> None:
    """Call ``revoked`` before the group reassigns (it is waited for) and ``assigned`` after it has."""

    async def on_assigned(_app: Any, tps: set[TP], **_: Any) -> None:
        await assigned(tps)

    async def on_revoked(_app: Any, tps: set[TP], **_: Any) -> None:
        await revoked(tps)

    app.on_partitions_assigned.connect(cast("Any", on_assigned), weak=False)
    app.on_partitions_revoked.connect(cast("Any", on_revoked), weak=False)

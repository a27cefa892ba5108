"""The one producer of a worker."""

from __future__ import annotations

import asyncio
import logging

import aiokafka
from aiokafka.errors import KafkaError

from stream_app.engine.faust_transport import keep_retrying
from stream_app.engine.plain_records import build_plain_batches
from stream_app.engine.settings import EngineSettings

logger = logging.getLogger(__name__)

_TRY_AGAIN_AFTER = 1.0


async def start_producer(settings: EngineSettings) -> aiokafka.AIOKafkaProducer:
    """A connected producer that waits for all replicas and outlasts an absent broker by the delivery timeout.

    Not idempotent: the embedded broker has no producer ids, and every record's id or fence makes a repeat harmless.
    """
    while True:
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap_servers,
            acks="all",
            max_batch_size=settings.batch_bytes,
            request_timeout_ms=int(settings.request_timeout * 1000),
            **settings.security,
        )
        keep_retrying(producer, settings.delivery_timeout)
        build_plain_batches(producer)
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            logger.warning("the producer cannot connect (%r); trying again", error, extra={"event": "broker_unreachable"})
            await asyncio.sleep(_TRY_AGAIN_AFTER)
        else:
            return producer

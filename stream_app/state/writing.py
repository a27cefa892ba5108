"""Writing records and waiting until the broker has them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import aiokafka

from agents.ports import Output
from stream_app.engine.settings import EngineSettings

CHUNK = 5_000
"""Records that are on their way at a time."""


class Writer:
    """Everything given is acknowledged when a call returns. Raises Kafka's errors."""

    def __init__(self, settings: EngineSettings, producer: aiokafka.AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer

    async def changelog(self, changelog: str, partition: int, entries: Iterable[tuple[bytes, bytes | None]]) -> None:
        """One part of a checkpoint."""
        await self.send(Output(changelog, key, value, partition) for key, value in entries)

    async def send(self, outputs: Iterable[Output]) -> None:
        """Outputs, in order per partition."""
        sent: list[asyncio.Future[object]] = []
        for output in outputs:
            topic, headers = self._settings.topic(output.topic), list(output.headers)
            sent.append(await self._producer.send(topic, output.value, output.key, output.partition, headers=headers))
            if len(sent) >= CHUNK:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)

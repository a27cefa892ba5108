"""Where a case plays: one broker, three, one behind a proxy, one on a disk that can be filled."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stream_app.brokers import LocalBroker
from stream_app.brokers.kafka import KafkaBroker, KafkaCluster
from stream_app.brokers.loopback import HOST, free_ports
from tests.support.proxy import Proxy

Kind = Literal["shared", "own", "cluster", "proxied", "small disk"]

CLEANER: dict[str, object] = {"log.cleaner.backoff.ms": 300, "log.retention.check.interval.ms": 1000}
"""Kafka looks every 15 s whether there is something to compact; a case that forces compaction need not wait so long."""
DISK_BYTES = 400 * 1024 * 1024


class NotHereError(Exception):
    """The machine cannot play the case; the message says why."""


@dataclass
class Stage:
    """``bootstrap`` is for everybody, workers too; behind a proxy ``direct`` is the way around it."""

    broker: LocalBroker
    bootstrap: str
    direct: str
    replication: int = 1
    proxy: Proxy | None = None
    disk: Path | None = None


class Stages:
    """Opens stages; the shared broker runs until ``close``."""

    def __init__(self) -> None:
        self._shared: KafkaBroker | None = None

    @asynccontextmanager
    async def open(self, kind: Kind) -> AsyncIterator[Stage]:
        """A stage for one case. Raises ``NotHereError``, ``BrokerError``."""
        match kind:
            case "shared":
                yield await self._on_shared()
            case "own":
                async with _running(KafkaBroker(overrides=CLEANER)) as broker:
                    yield Stage(broker, broker.bootstrap, broker.bootstrap)
            case "cluster":
                async with _running(KafkaCluster()) as broker:
                    yield Stage(broker, broker.bootstrap, broker.bootstrap, replication=3)
            case "proxied":
                async with _behind_a_proxy() as stage:
                    yield stage
            case "small disk":
                async with _on_a_small_disk() as stage:
                    yield stage

    async def _on_shared(self) -> Stage:
        if self._shared is None:
            self._shared = KafkaBroker(overrides=CLEANER)
            await asyncio.to_thread(self._shared.start)
        return Stage(self._shared, self._shared.bootstrap, self._shared.bootstrap)

    def close(self) -> None:
        if self._shared is not None:
            self._shared.close()


@asynccontextmanager
async def _running(broker: LocalBroker) -> AsyncIterator[LocalBroker]:
    try:
        await asyncio.to_thread(broker.start)
        yield broker
    finally:
        await asyncio.to_thread(broker.close)


@asynccontextmanager
async def _behind_a_proxy() -> AsyncIterator[Stage]:
    """Kafka with a second listener that tells clients to come back by the proxy's port."""
    port, proxied, advertised, controller = free_ports(4)
    listeners: dict[str, object] = {
        "listeners": f"CLIENT://{HOST}:{port},PROXIED://{HOST}:{proxied},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"CLIENT://{HOST}:{port},PROXIED://{HOST}:{advertised}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
    }
    broker = KafkaBroker(port=port, overrides=CLEANER | listeners)
    async with _running(broker), Proxy(advertised, proxied) as proxy:
        yield Stage(broker, f"{HOST}:{advertised}", f"{HOST}:{port}", proxy=proxy)


@asynccontextmanager
async def _on_a_small_disk() -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="deskpulse-disk-") as folder:
        refused = await asyncio.to_thread(_run, "mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder)
        if refused:
            raise NotHereError(f"a small disk can only be mounted by root: {refused}")
        try:
            async with _running(KafkaBroker(data_dir=Path(folder) / "kafka", overrides=CLEANER)) as broker:
                yield Stage(broker, broker.bootstrap, broker.bootstrap, disk=Path(folder))
        finally:
            await asyncio.to_thread(_run, "umount", "--lazy", folder)


def _run(*command: str) -> str:
    """What it said if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""

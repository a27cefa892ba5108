"""A small installation on a real broker: configurations, workers of their own, events, commands, and the KPIs that were published."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.settings import Settings, load_settings
from stream_app.settings.sources import CONFIG_VARIABLE
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.oracle import published
from tests.oracle.workers import WorkerPool
from tests.support.waiting import eventually

INPUTS = ("contacts", "resolutions", "surveys")
Group = Mapping[str, str]


class Installation:
    """Two log partitions, a prefix of its own; ``directory`` takes configurations and logs."""

    def __init__(self, bootstrap: str, prefix: str, directory: Path) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.directory = directory

    # -- configurations and commands ----------------------------------------------------------------------

    def file(self, name: str, more: str = "") -> Path:
        """A configuration; ``more`` are further sections."""
        inputs = "".join(f'[inputs.{name}]\ntopic = "{self.prefix}-{name}"\npartitions = 2\n' for name in INPUTS)
        kafka = f'bootstrap_servers = "{self.bootstrap}"\ntopic_prefix = "{self.prefix}"\ngroup_prefix = "{self.prefix}"\nlog_partitions = 2\n'
        path = self.directory / f"{name}.toml"
        path.write_text(f'[kafka]\n{kafka}[engine]\nsession_timeout = "6s"\n[metrics]\nport = 0\n{inputs}{more}')
        return path

    async def create_topics(self, file: Path) -> Settings:
        settings = load_settings(file, {})
        await create_topics(self.bootstrap, specs_of(settings))
        return settings

    async def command(self, file: Path, *words: str) -> tuple[int, str]:
        """Run ``deskpulse`` with a configuration, in a thread; exit code and everything it said."""
        done = await asyncio.to_thread(CliRunner().invoke, main, words, env={CONFIG_VARIABLE: str(file)})
        return done.exit_code, done.output

    # -- events and KPIs ----------------------------------------------------------------------------------

    async def send(self, topic: str, messages: Iterable[tuple[bytes, bytes]], **where: Any) -> None:
        """Keys and values into an input, in order; ``where``: ``timestamp_ms`` or ``partition`` for all of them."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            for key, value in messages:
                await producer.send_and_wait(f"{self.prefix}-{topic}", value, key=key, **where)
        finally:
            await producer.stop()

    async def kpis(self, window: str) -> dict[tuple[str, str], dict[str, Any]]:
        """The newest record of each KPI in a window, by its name and its group in words."""
        found = {}
        async for record in published.records(self.bootstrap, f"{self.prefix}.kpis"):
            kpi, where, group = orjson.loads(record.key)
            if where == window and record.value is not None:
                found[kpi, " ".join(f"{name}={value}" for name, value in group.items())] = orjson.loads(record.value)
        return found


class OneWorker:
    """A worker process; stop it in ``finally``."""

    def __init__(self, installation: Installation, file: Path, name: str) -> None:
        directory = installation.directory / name
        directory.mkdir()
        self._pool = WorkerPool(file, directory, 1)
        self._log = directory / "worker-0.log"
        self._pool.start()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def ready(self) -> None:
        def recovered() -> bool:
            self.check()
            return "recovered" in self.log

        eventually(recovered, within_seconds=60, what="a ready worker")

    def check(self) -> None:
        """Raises ``WorkerFailedError`` if it has ended."""
        self._pool.check()

    def stop(self) -> int:
        """Its exit code."""
        (code,) = self._pool.stop()
        self._pool.processes = []
        return code

    def end(self) -> None:
        """``stop``, unless that was done."""
        if self._pool.processes:
            self.stop()

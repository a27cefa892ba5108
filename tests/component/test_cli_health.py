"""``deskpulse health`` against real servers on loopback."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from prometheus_client import CollectorRegistry

from stream_app.brokers.loopback import free_ports
from stream_app.cli.health import health
from stream_app.health import HealthServer


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(secrets.token_hex(16))
    return file


@pytest.fixture
async def worker(token_file: Path, reasons: list[str]) -> AsyncIterator[HealthServer]:
    server = HealthServer(CollectorRegistry(), "127.0.0.1", 0, token_file, not_ready=lambda: reasons)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def reasons() -> list[str]:
    return []


async def asked(server: HealthServer, token_file: Path, host: str = "127.0.0.1") -> Result:
    port = server.address.rpartition(":")[2]
    variables = {"HOST": host, "PORT": port, "TOKEN_FILE": str(token_file)}
    environment = {f"DESKPULSE_METRICS__{name}": value for name, value in variables.items()}
    environment["http_proxy"] = "http://127.0.0.1:1"
    return await asyncio.to_thread(CliRunner().invoke, health, ["worker"], env=environment)


async def test_a_ready_worker_is_asked_with_its_token_and_past_any_proxy(worker: HealthServer, token_file: Path) -> None:
    result = await asked(worker, token_file)
    assert (result.exit_code, result.output) == (0, "ready\n")


async def test_a_worker_on_every_address_is_asked_on_loopback(worker: HealthServer, token_file: Path) -> None:
    assert (await asked(worker, token_file, host="0.0.0.0")).exit_code == 0


async def test_a_worker_that_waits_says_for_what(worker: HealthServer, token_file: Path, reasons: list[str]) -> None:
    reasons.append("partition 2 is recovering")
    result = await asked(worker, token_file)
    assert (result.exit_code, result.output) == (1, "not ready: partition 2 is recovering\n")


async def test_a_token_file_that_cannot_be_read_is_named_with_its_key(worker: HealthServer, token_file: Path) -> None:
    result = await asked(worker, token_file.with_name("gone"))
    assert result.exit_code == 1
    assert "metrics.token_file" in result.output


def test_nobody_there_is_not_ready(tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    result = CliRunner().invoke(health, ["board"], env={"DESKPULSE_BOARD__PORT": port})
    assert result.exit_code == 1
    assert f"http://127.0.0.1:{port} does not answer" in result.output

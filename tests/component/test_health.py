"""A worker's web server, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge

from stream_app.access import UnsafeAddressError
from stream_app.health import HealthServer


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_metrics_come_from_the_registry_given(client: aiohttp.ClientSession) -> None:
    registry = CollectorRegistry()
    Gauge("deskpulse_test_cases", "Cases.", registry=registry).set(3)
    server = HealthServer(registry, "127.0.0.1", 0)
    await server.start()
    try:
        async with client.get(f"{server.address}/metrics") as answer:
            assert "deskpulse_test_cases 3.0" in await answer.text()
            assert answer.headers["Content-Type"].startswith("text/plain")
    finally:
        await server.stop()


async def test_ready_and_alive_answer_503_with_the_reasons_until_there_are_none(client: aiohttp.ClientSession) -> None:
    reasons = ["partition 2 is recovering"]
    server = HealthServer(CollectorRegistry(), "127.0.0.1", 0, not_ready=lambda: reasons)
    await server.start()
    try:
        async with client.get(f"{server.address}/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "not ready: partition 2 is recovering\n")
        async with client.get(f"{server.address}/healthz") as answer:
            assert answer.status == 200
        reasons.clear()
        async with client.get(f"{server.address}/readyz") as answer:
            assert answer.status == 200
    finally:
        await server.stop()


async def test_with_a_token_nobody_gets_in_without_it(client: aiohttp.ClientSession, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdef")
    server = HealthServer(CollectorRegistry(), "127.0.0.1", 0, file)
    await server.start()
    try:
        for path in ("/metrics", "/healthz", "/readyz"):
            async with client.get(server.address + path) as answer:
                assert answer.status == 401
            async with client.get(server.address + path, headers={"Authorization": "Bearer 0123456789abcdef"}) as answer:
                assert answer.status == 200
    finally:
        await server.stop()


async def test_an_address_that_others_can_reach_is_refused_without_a_token() -> None:
    server = HealthServer(CollectorRegistry(), "0.0.0.0", 0)
    with pytest.raises(UnsafeAddressError):
        await server.start()
    await server.stop()

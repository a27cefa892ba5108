"""Commands against a broker: the embedded one."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner

from stream_app.brokers.embedded import EmbeddedBroker
from stream_app.cli import main
from stream_app.settings import load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of


@pytest.fixture
def server(embedded: EmbeddedBroker, prefix: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DESKPULSE_KAFKA__BOOTSTRAP_SERVERS", embedded.bootstrap)
    monkeypatch.setenv("DESKPULSE_KAFKA__TOPIC_PREFIX", prefix)
    monkeypatch.setenv("DESKPULSE_KAFKA__GROUP_PREFIX", prefix)
    for name in ("contacts", "resolutions", "surveys"):
        monkeypatch.setenv(f"DESKPULSE_INPUTS__{name.upper()}__TOPIC", f"{prefix}-{name}")
    monkeypatch.setenv("DESKPULSE_CONFIG", "/dev/null")
    return embedded.bootstrap


async def publish(server: str, topic: str, rows: list[dict[str, object] | None]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=server, enable_idempotence=False)
    await producer.start()
    try:
        for row in rows:
            key = orjson.dumps([row["kpi"], row["window"], row["group"]]) if row else b'["gone","now",{}]'
            await producer.send_and_wait(topic, orjson.dumps(row) if row else None, key=key)
    finally:
        await producer.stop()


def test_doctor_finds_missing_topics_and_is_content_once_they_are_there(server: str) -> None:
    before = CliRunner().invoke(main, ["doctor"])
    assert before.exit_code == 1
    assert "deskpulse topics create" in before.output
    asyncio.run(create_topics(server, specs_of(load_settings())))
    after = CliRunner().invoke(main, ["doctor"])
    assert after.exit_code == 0, after.output
    assert "✓ ok       topics: all 14 are there" in after.output


def test_doctor_says_that_no_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("DESKPULSE_CONFIG", "/dev/null")
    found = CliRunner().invoke(main, ["doctor", "--quiet"])
    assert found.exit_code == 1
    assert "no Kafka broker answers at 127.0.0.1:1" in found.output


def test_snapshot_shows_the_newest_record_of_each_key_and_none_of_deleted_ones(server: str, prefix: str) -> None:
    asyncio.run(create_topics(server, specs_of(load_settings())))
    old = {"kpi": "opened", "window": "30m", "group": {}, "value": 4, "unit": "cases", "state": "provisional"}
    gone = {"kpi": "gone", "window": "now", "group": {}, "value": 4, "unit": "cases"}
    watermark = {"kpi": "watermark", "window": "now", "group": {}, "value": 1_000, "clock": 3_000, "simulated": True}
    asyncio.run(publish(server, f"{prefix}.kpis", [old, gone, {**old, "value": 5}, None, watermark]))
    printed = CliRunner().invoke(main, ["snapshot", "--json"])
    assert [row["value"] for row in orjson.loads(printed.output)] == [5]
    table = CliRunner().invoke(main, ["snapshot"]).output
    assert "2.0 s behind the log's clock" in table
    assert "simulated data" in table
    assert "opened" in table


def test_snapshot_without_topics_says_what_to_do(server: str) -> None:
    printed = CliRunner().invoke(main, ["snapshot"])
    assert printed.exit_code == 1
    assert "deskpulse topics create" in printed.stderr

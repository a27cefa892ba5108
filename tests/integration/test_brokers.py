"""The local brokers do what a test or a demo needs of them, and topics come out as specified on both."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream_app.brokers import BrokerStartError, BrokerUnavailableError
from stream_app.brokers.embedded import EmbeddedBroker
from stream_app.brokers.kafka import KafkaBroker, KafkaCluster
from stream_app.brokers.kafka_jars import jars
from stream_app.brokers.loopback import known_brokers
from stream_app.topic_admin import TopicsError, create_topics, describe_topics, existing_topics
from stream_app.topics import TopicSpec, topic_specs
from tests.support.requirements import missing
from tests.support.waiting import eventually

NOTHING_LISTENS = "127.0.0.1:1"


async def send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=12_000_000)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(20):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


def one_topic(prefix: str, partitions: int = 1) -> list[TopicSpec]:
    return [TopicSpec(f"{prefix}.talk", partitions, {"cleanup.policy": "delete"})]


async def test_data_is_still_there_after_kafka_was_killed_and_restarted_on_the_same_port(own_kafka: KafkaBroker, prefix: str) -> None:
    bootstrap = own_kafka.bootstrap
    await create_topics(bootstrap, one_topic(prefix))
    await send(bootstrap, f"{prefix}.talk", b"before")

    own_kafka.kill()
    assert not own_kafka.running
    await asyncio.to_thread(own_kafka.start)

    assert own_kafka.bootstrap == bootstrap
    await send(bootstrap, f"{prefix}.talk", b"after")
    assert await read(bootstrap, f"{prefix}.talk", 2) == [b"before", b"after"]


async def test_a_paused_broker_goes_on_where_it_was(own_kafka: KafkaBroker, prefix: str) -> None:
    await create_topics(own_kafka.bootstrap, one_topic(prefix))
    own_kafka.pause()
    sending = asyncio.create_task(send(own_kafka.bootstrap, f"{prefix}.talk", b"patience"))
    done, _ = await asyncio.wait([sending], timeout=1)
    assert not done

    own_kafka.resume()

    await sending
    assert await read(own_kafka.bootstrap, f"{prefix}.talk", 1) == [b"patience"]


@pytest.mark.slow
async def test_a_cluster_of_three_goes_on_without_one(kafka_cluster: KafkaCluster, prefix: str) -> None:
    await create_topics(kafka_cluster.bootstrap, one_topic(prefix), replication_factor=3)
    await send(kafka_cluster.bootstrap, f"{prefix}.talk", b"all three")

    kafka_cluster.nodes[0].kill()

    await send(kafka_cluster.bootstrap, f"{prefix}.talk", b"two")
    assert await read(kafka_cluster.bootstrap, f"{prefix}.talk", 2) == [b"all three", b"two"]


async def test_the_embedded_broker_takes_and_gives_records(embedded: EmbeddedBroker, prefix: str) -> None:
    await create_topics(embedded.bootstrap, one_topic(prefix))
    await send(embedded.bootstrap, f"{prefix}.talk", b"one", b"two")
    assert await read(embedded.bootstrap, f"{prefix}.talk", 2) == [b"one", b"two"]


@pytest.mark.parametrize("name", ["kafka", "embedded"])
async def test_topics_are_created_once_and_then_as_they_should_be(name: str, prefix: str, request: pytest.FixtureRequest) -> None:
    broker = request.getfixturevalue(name)
    specs = topic_specs(prefix, inputs={f"{prefix}-contacts": 3}, log_partitions=2)

    assert set(await create_topics(broker.bootstrap, specs)) == {spec.name for spec in specs}
    assert await create_topics(broker.bootstrap, specs) == []
    assert await describe_topics(broker.bootstrap, specs) == []
    counts = await existing_topics(broker.bootstrap, [spec.name for spec in specs])
    assert {name: topic.partitions for name, topic in counts.items()} == {spec.name: spec.partitions for spec in specs}


@pytest.mark.parametrize("name", ["kafka", "embedded"])
async def test_a_wrong_partition_count_and_a_missing_topic_are_found(name: str, prefix: str, request: pytest.FixtureRequest) -> None:
    broker = request.getfixturevalue(name)
    await create_topics(broker.bootstrap, [spec for spec in topic_specs(prefix, inputs={}) if not spec.name.endswith(".kpis")])

    found = await describe_topics(broker.bootstrap, topic_specs(prefix, inputs={}, log_partitions=8))

    assert {(one.topic, one.expected, one.actual) for one in found if one.what == "partitions"} == {
        (f"{prefix}.{log}", "8", "4")
        for log in ("events", "customer-log", "case-events", "sla-events", "cases", "cases-changelog", "customers-changelog")
    }
    assert [(one.topic, one.actual) for one in found if one.what != "partitions"] == [(f"{prefix}.kpis", "missing")]


async def test_a_changelog_that_would_be_deleted_by_age_is_found(kafka: KafkaBroker, prefix: str) -> None:
    await create_topics(kafka.bootstrap, [TopicSpec(f"{prefix}.cases-changelog", 4, {"cleanup.policy": "delete"})])
    found = await describe_topics(kafka.bootstrap, topic_specs(prefix, inputs={}))
    assert ("cleanup.policy", "compact", "delete") in {
        (one.what, one.expected, one.actual) for one in found if one.topic == f"{prefix}.cases-changelog"
    }


async def test_an_event_log_with_less_retention_than_the_horizon_is_found(kafka: KafkaBroker, prefix: str) -> None:
    await create_topics(kafka.bootstrap, topic_specs(prefix, inputs={}, horizon=timedelta(days=1)))
    found = await describe_topics(kafka.bootstrap, topic_specs(prefix, inputs={}, horizon=timedelta(days=35)))
    assert (f"{prefix}.events", "retention.ms") in {(one.topic, one.what) for one in found}
    assert await describe_topics(kafka.bootstrap, topic_specs(prefix, inputs={}, horizon=timedelta(hours=1))) == []


async def test_an_input_message_of_ten_megabytes_reaches_the_topic(kafka: KafkaBroker, prefix: str) -> None:
    await create_topics(kafka.bootstrap, topic_specs(prefix, inputs={f"{prefix}-contacts": 1}))
    await send(kafka.bootstrap, f"{prefix}-contacts", b"x" * 10_000_000)
    assert await read(kafka.bootstrap, f"{prefix}-contacts", 1) == [b"x" * 10_000_000]


async def test_looking_for_topics_creates_none(embedded: EmbeddedBroker, prefix: str) -> None:
    assert await existing_topics(embedded.bootstrap, [f"{prefix}.nowhere"]) == {}
    assert await existing_topics(embedded.bootstrap, [f"{prefix}.nowhere"]) == {}


async def test_topics_wait_for_a_broker_that_is_still_starting(prefix: str) -> None:
    broker = EmbeddedBroker()
    try:
        creating = asyncio.create_task(create_topics(broker.bootstrap, one_topic(prefix)))
        done, _ = await asyncio.wait([creating], timeout=0.5)
        assert not done
        try:
            await asyncio.to_thread(broker.start)
        except BrokerUnavailableError as error:
            creating.cancel()
            missing(str(error))
        assert await creating == [f"{prefix}.talk"]
    finally:
        broker.close()


async def test_a_broker_that_never_comes_is_named_with_what_to_do(prefix: str) -> None:
    with pytest.raises(TopicsError, match=r"no Kafka broker answers at 127\.0\.0\.1:1\. Start one"):
        await create_topics(NOTHING_LISTENS, one_topic(prefix), wait_seconds=0.5)


async def test_more_copies_than_brokers_are_refused_in_words(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(TopicsError, match=rf"refused to create {prefix}\.talk: .*replica"):
        await create_topics(kafka.bootstrap, one_topic(prefix), replication_factor=3, wait_seconds=1)


def test_without_java_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("DESKPULSE_CACHE", str(tmp_path))
    (tmp_path / "kafka-4.2.0").mkdir()
    with pytest.raises(BrokerUnavailableError, match="openjdk-17-jre-headless"), KafkaBroker():
        pass


def test_without_maven_and_jars_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DESKPULSE_CACHE", str(tmp_path))
    with pytest.raises(BrokerUnavailableError, match="apt-get install maven"):
        jars()
    assert list(tmp_path.iterdir()) == []


def test_a_broker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "broken-broker"
    program.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("CALF_TANSU_BIN", str(program))
    with pytest.raises(BrokerStartError, match=r"ended while starting[^$]*out of luck"), EmbeddedBroker():
        pass


def test_a_port_in_use_is_refused_instead_of_taking_the_other_broker_for_ours(embedded: EmbeddedBroker) -> None:
    in_use = rf"Port {embedded.port} on 127\.0\.0\.1 is in use"
    with pytest.raises(BrokerStartError, match=in_use), EmbeddedBroker(port=embedded.port):
        pass
    with pytest.raises(BrokerStartError, match=in_use), KafkaBroker(port=embedded.port):
        pass


async def test_a_data_directory_that_was_given_keeps_its_topics_for_the_next_broker(kafka: KafkaBroker, prefix: str, tmp_path: Path) -> None:
    first = KafkaBroker(data_dir=tmp_path)
    await asyncio.to_thread(first.start)
    try:
        await create_topics(first.bootstrap, one_topic(prefix))
    finally:
        first.close()
    second = KafkaBroker(data_dir=tmp_path)
    await asyncio.to_thread(second.start)
    try:
        assert f"{prefix}.talk" in await existing_topics(second.bootstrap, [f"{prefix}.talk"])
    finally:
        second.close()


def test_a_process_that_is_killed_takes_its_broker_with_it(embedded: EmbeddedBroker) -> None:
    program = "from stream_app.brokers.embedded import *; b = EmbeddedBroker(); b.start(); print(b.port, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline())
        assert known_brokers(port) == 1
        os.kill(owner.pid, signal.SIGKILL)
    assert eventually(lambda: known_brokers(port) == 0, what="the end of the broker")

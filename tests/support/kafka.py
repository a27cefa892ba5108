"""Fixtures: real Kafka for the session, a Kafka of one's own to break, the embedded broker, a topic prefix nobody else uses."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from stream_app.brokers import BrokerUnavailableError, LocalBroker
from stream_app.brokers.embedded import EmbeddedBroker
from stream_app.brokers.kafka import KafkaBroker, KafkaCluster
from tests.support.requirements import missing
from tests.support.secured_kafka import SecuredKafka

B = TypeVar("B", bound=LocalBroker)


def _running(make: Callable[[], B]) -> Iterator[B]:
    broker = make()
    try:
        try:
            broker.start()
        except BrokerUnavailableError as error:
            missing(str(error))
        yield broker
    finally:
        broker.close()


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """One real Kafka for the whole session; use ``prefix`` for topics. Don't stop it: ``own_kafka`` is for that."""
    yield from _running(KafkaBroker)


@pytest.fixture
def own_kafka() -> Iterator[KafkaBroker]:
    """A real Kafka for this test alone, to be killed, paused and restarted."""
    yield from _running(KafkaBroker)


@pytest.fixture
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three real Kafka nodes for this test alone (1 GB of memory together, 10 s to start)."""
    yield from _running(KafkaCluster)


@pytest.fixture(scope="module")
def secured_kafka() -> Iterator[SecuredKafka]:
    """A real Kafka with TLS, a user for each of our roles, and no ACL yet."""
    yield from _running(SecuredKafka)


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    """One embedded broker for the whole session; use ``prefix`` for topics."""
    yield from _running(EmbeddedBroker)


@pytest.fixture
def prefix() -> str:
    """A topic prefix of this test alone."""
    return f"test-{uuid.uuid4().hex[:10]}"

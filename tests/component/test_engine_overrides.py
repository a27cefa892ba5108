"""The methods of Faust and aiokafka that the engine replaces or relies on are still the ones it was written against.

A failure here is no bug yet: read what changed in the method, check ``faust_transport`` and ``faust_app``
against it, then put in the new digest.
"""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import faust
import pytest
from faust import streams

from stream_app.engine import EngineSettings, FailStop
from stream_app.engine.faust_app import create_faust_app
from stream_app.engine.faust_transport import OVERRIDES, BatchConsumer, BatchConsumerThread

DIGESTS = {
    "faust.app.base.App.on_first_start": "ec655d9c223403cc",
    "faust.app.base.App._on_partitions_revoked": "d5c895bbe57dc73a",
    "faust.app.base.App._on_partitions_assigned": "de932b7927db85b3",
    "faust.app.base.App._stop_consumer": "55854a5de12c3f52",
    "faust.serializers.schemas.Schema.compile": "d46eec5ce3195b2c",
    "faust.tables.recovery.Recovery._resume_streams": "d986a6710c1aca98",
    "faust.transport.consumer.Consumer.getmany": "4b168d84882a70d6",
    "faust.transport.consumer.Consumer.commit": "a354437baaa08bf8",
    "faust.transport.consumer.Consumer.perform_seek": "0e8c130ff4b0afd8",
    "faust.transport.consumer.Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.consumer.Consumer.on_buffer_full": "c8961679e0bcdce5",
    "faust.transport.consumer.Consumer.on_buffer_drop": "4b57e8a418d5ad9c",
    "faust.transport.consumer.Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.drivers.aiokafka.Consumer._new_consumer_thread": "0870ec53dea75083",
    "faust.transport.drivers.aiokafka.Consumer.verify_event_path": "a17e8f0610e1abcb",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread.on_start": "38b4e8bd1e10723a",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "aiokafka.consumer.fetcher.Fetcher.__init__": "bf21ecb7e0f210b7",
    "aiokafka.consumer.fetcher.Fetcher._get_actions_per_node": "1dab2cf937d165d0",
    "aiokafka.consumer.fetcher.Fetcher.fetched_records": "be4348896b9b66af",
    "aiokafka.consumer.fetcher.Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "aiokafka.consumer.fetcher.FetchResult.getall": "3e717e30de5068d5",
    "aiokafka.consumer.fetcher.PartitionRecords.__init__": "8ec1c2ae6ea1af87",
    "aiokafka.consumer.fetcher.PartitionRecords.__iter__": "b411eeeaeb7c31dc",
    "aiokafka.consumer.fetcher.PartitionRecords.__next__": "63ac34a08c309098",
    "aiokafka.consumer.fetcher.PartitionRecords._unpack_records": "b803e6d46480732c",
    "aiokafka.producer.message_accumulator.BatchBuilder.append": "657d76f55157d9ca",
    "aiokafka.producer.message_accumulator.MessageAccumulator.create_builder": "13dcd0ebf6b9eb44",
    "aiokafka.producer.message_accumulator.MessageBatch.expired": "3b28f15f56f2acb1",
    "aiokafka.producer.sender.SendProduceReqHandler._can_retry": "7ff5d491d977aacf",
}


def name_of(method: Any) -> str:
    return f"{method.__module__}.{method.__qualname__}"


def digest_of(method: Any) -> str:
    return hashlib.sha256(inspect.getsource(inspect.unwrap(method)).encode()).hexdigest()[:16]


@pytest.mark.parametrize("method", OVERRIDES, ids=name_of)
def test_an_overridden_method_is_the_one_it_was_written_against(method: Any) -> None:
    assert digest_of(method) == DIGESTS[name_of(method)]


def test_every_override_of_the_consumer_is_listed() -> None:
    listed = {method.__name__ for method in OVERRIDES}
    for ours in (BatchConsumer, BatchConsumerThread):
        replaced = {
            name
            for name, value in vars(ours).items()
            if inspect.isfunction(value) and any(name in vars(base) for base in ours.__mro__[1:-1])
        }
        assert replaced - {"__init__", "__post_init__"} <= listed


def test_the_compiled_stream_iterator_is_active() -> None:
    assert getattr(streams, "_CStreamIterator", None) is not None


async def test_the_app_binds_no_port_declares_no_topic_and_keeps_no_books_of_acknowledgements() -> None:
    app = create_faust_app(EngineSettings(), FailStop())

    assert isinstance(app, faust.App)
    assert app.boot_strategy.enable_web is False
    assert app.boot_strategy.enable_kafka_producer is False
    assert app.boot_strategy.enable_sensors is False
    assert app.conf.topic_disable_leader
    assert not app.conf.topic_allow_declare
    assert app.conf.table_standby_replicas == 0
    assert not app.conf.stream_wait_empty

"""Fixtures every level may use, and the markers that follow from them."""

from __future__ import annotations

import pytest

from tests.support.kafka import embedded, kafka, kafka_cluster, own_kafka, prefix, secured_kafka

__all__ = ["embedded", "kafka", "kafka_cluster", "own_kafka", "prefix", "secured_kafka"]

MARKER_OF_FIXTURE = {
    "kafka": "kafka",
    "own_kafka": "kafka",
    "kafka_cluster": "kafka",
    "secured_kafka": "kafka",
    "embedded": "embedded",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a broker carries its marker, so ``-m "not kafka"`` leaves none of them in; they come last, the quick ones first."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKER_OF_FIXTURE:
                item.add_marker(MARKER_OF_FIXTURE[fixture])
    slow = {*MARKER_OF_FIXTURE.values(), "browser"}
    items.sort(key=lambda item: any(marker.name in slow for marker in item.iter_markers()))

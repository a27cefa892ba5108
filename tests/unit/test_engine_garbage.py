"""The garbage collector's policy: never by itself, but at an assignment and now and then."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from weakref import ReferenceType, ref

import pytest

from stream_app.engine import garbage
from tests.support.waiting import eventually_async


class Node:
    """Refers to itself, so that only a collection can find it dead."""

    def __init__(self) -> None:
        self.itself = self


def dead_cycle() -> ReferenceType[Node]:
    return ref(Node())


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Switched off in between."""
    gc.collect()
    garbage.switch_off()
    yield
    gc.enable()
    gc.collect()


def test_nothing_is_collected_by_itself_whatever_is_made() -> None:
    collections = [generation["collections"] for generation in gc.get_stats()]
    died = dead_cycle()
    made = [[number] for number in range(5 * gc.get_threshold()[0])]
    assert [generation["collections"] for generation in gc.get_stats()] == collections
    assert died() is not None
    assert made


def test_an_assignment_collects_whatever_its_age() -> None:
    node = Node()
    died = ref(node)
    garbage.collect()
    garbage.collect()
    del node
    garbage.collect()
    assert died() is None


async def test_dead_cycles_are_found_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "COLLECTION_INTERVAL", 0.01)
    collecting = asyncio.ensure_future(garbage.collect_regularly())
    await found(dead_cycle())
    await found(dead_cycle())
    collecting.cancel()


async def found(died: ReferenceType[Node]) -> None:
    async def gone() -> bool:
        return died() is None

    await eventually_async(gone, within_seconds=5)

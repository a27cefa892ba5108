"""The garbage collector's policy: each object is looked at once, soon after it was made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from weakref import ReferenceType, ref

import pytest

from stream_app.engine import garbage


class Node:
    """Refers to itself, so that only a collection can find it dead."""

    def __init__(self) -> None:
        self.itself = self


def dead_cycle() -> ReferenceType[Node]:
    return ref(Node())


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """As it was, afterwards; tuned and with nothing young in between."""
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    gc.collect()
    garbage.tune()
    yield
    gc.callbacks[:] = callbacks
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.collect()


def is_exempt(node: Node) -> bool:
    return all(found is not node for found in gc.get_objects())


def test_what_survives_a_young_collection_is_exempt_from_later_ones() -> None:
    node = Node()
    assert not is_exempt(node)
    gc.collect(0)
    assert is_exempt(node)


def test_a_cycle_that_died_young_is_collected() -> None:
    died = dead_cycle()
    gc.collect(0)
    assert died() is None


def test_a_cycle_that_dies_later_is_found_at_the_next_assignment() -> None:
    node = Node()
    died = ref(node)
    gc.collect(0)
    del node
    gc.collect()
    assert died() is not None
    garbage.set_aside()
    assert died() is None


def test_an_assignment_exempts_everything_alive() -> None:
    node = Node()
    garbage.set_aside()
    assert is_exempt(node)


def test_old_generations_are_not_collected_by_themselves() -> None:
    young, middle, old = gc.get_threshold()
    assert young == 200_000
    assert min(middle, old) >= 1 << 30


def test_tuning_twice_is_tuning_once() -> None:
    callbacks = list(gc.callbacks)
    garbage.tune()
    assert gc.callbacks == callbacks

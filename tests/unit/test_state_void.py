"""The record with which a rebuild begins makes void what stands before it, and what a zombie of an earlier epoch writes after it."""

from __future__ import annotations

import pytest

from models.durability.fence import pack
from models.durability.recovery import BEGIN, CorruptChangelogError, Merge, seal

OLD, NEW = pack(0, 90), pack(1, 10)
BEGINS = (BEGIN, seal(pack(1, 0), b""))
MARKER = (b"m", seal(NEW, b"time"))


def merged(*records: tuple[bytes, bytes | None]) -> Merge:
    merge = Merge()
    for record in records:
        merge.absorb(*record)
    return merge


@pytest.mark.parametrize("garbage", [(b"rcase", b"short"), (b"?", b"\xff" * 20), (b"rcase", b"\xff" * 20), (b"m", b"\xff" * 20)])
def test_garbage_before_a_rebuild_is_void(garbage: tuple[bytes, bytes]) -> None:
    merge = merged(garbage, (b"rold", seal(OLD, b"old")), BEGINS, (b"rcase", seal(NEW, b"new")), MARKER)
    merge.check()
    assert merge.rows == {b"rcase": seal(NEW, b"new")}
    assert merge.marker == MARKER[1]


@pytest.mark.parametrize("garbage", [(b"rcase", b"short"), (b"?", b"\xff" * 20)])
def test_garbage_after_it_is_not(garbage: tuple[bytes, bytes]) -> None:
    with pytest.raises(CorruptChangelogError, match="deskpulse state rebuild"):
        merged(BEGINS, MARKER, garbage).check()


def test_a_rebuild_without_its_marker_is_unfinished() -> None:
    with pytest.raises(CorruptChangelogError, match="was not finished: run it again"):
        merged(MARKER, (b"m", seal(OLD, b"time")), BEGINS, (b"rcase", seal(NEW, b"new"))).check()


def test_a_zombie_of_the_epoch_before_brings_nothing_back() -> None:
    merge = merged(BEGINS, MARKER, (b"rgone", seal(OLD, b"row")), (b"m", seal(OLD, b"time")), (b"pgone", seal(OLD, b"pane")))
    assert (merge.rows, merge.panes, merge.marker) == ({}, {}, MARKER[1])


def test_the_next_rebuild_makes_the_one_before_void() -> None:
    merge = merged(BEGINS, (b"rcase", seal(NEW, b"new")), MARKER, (BEGIN, seal(pack(2, 0), b"")), (b"m", seal(pack(2, 3), b"")))
    merge.check()
    assert merge.rows == {}


def test_without_a_rebuild_nothing_is_void() -> None:
    merge = merged((b"rcase", seal(OLD, b"old")))
    merge.check()
    assert merge.rows == {b"rcase": seal(OLD, b"old")}

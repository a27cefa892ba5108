"""Recovery merges forward only; fences; what compaction asks of an owner."""

from __future__ import annotations

import pytest

from models.durability.compaction import Graves
from models.durability.fence import NO_FENCE, pack, unpack
from models.durability.recovery import CorruptChangelogError, Merge, fence_of, seal


def test_a_fence_compares_as_a_pair_of_epoch_and_offset() -> None:
    assert pack(0, 2**40) < pack(1, 0) < pack(1, 1)
    assert unpack(pack(3, 17)) == (3, 17)
    assert unpack(NO_FENCE) == (0, -1)
    assert pack(0, 0) > NO_FENCE


def merged(*records: tuple[bytes, bytes | None]) -> Merge:
    merge = Merge()
    for key, value in records:
        merge.absorb(key, value)
    return merge


@pytest.mark.parametrize(("kind", "held"), [(b"r1", "rows"), (b"p1", "panes")])
def test_the_greater_fence_wins_wherever_it_stands(kind: bytes, held: str) -> None:
    old, new = seal(pack(0, 300), b"old"), seal(pack(1, 2), b"new")

    assert getattr(merged((kind, old), (kind, new)), held) == {kind: new}
    assert getattr(merged((kind, new), (kind, old)), held) == {kind: new}


def test_of_two_markers_the_greater_holds_and_a_tombstone_is_none() -> None:
    merge = merged((b"m", seal(5, b"new")), (b"m", seal(4, b"old")), (b"m", None))

    assert merge.marker == seal(5, b"new")
    assert fence_of(seal(5, b"new")) == 5


def test_a_deletion_is_fenced_like_everything_else() -> None:
    deleted = seal(7, b"")

    assert merged((b"r1", deleted), (b"r1", seal(6, b"a zombie's"))).rows == {b"r1": deleted}


def test_a_tombstone_ends_a_deletion() -> None:
    assert merged((b"r1", seal(7, b"")), (b"r1", None), (b"r2", None)).rows == {}


def test_a_zombies_late_tombstone_does_not_remove_a_row_that_lives_again() -> None:
    row = seal(9, b"again")

    assert merged((b"r1", seal(7, b"")), (b"r1", row), (b"r1", None)).rows == {b"r1": row}


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [(b"r1", b"short", "shorter than a fence"), (b"x1", seal(1, b"what"), "no known kind"), (b"", None, "no known kind")],
)
def test_a_record_of_no_known_form_is_refused_with_the_way_out(key: bytes, value: bytes | None, what: str) -> None:
    with pytest.raises(CorruptChangelogError, match=f"{what}.*deskpulse state rebuild"):
        merged((key, value)).check()


def test_a_rebuild_makes_void_what_stands_before_it_and_what_zombies_write_after_it() -> None:
    begin, row = seal(pack(1, 0), b""), seal(pack(1, 3), b"new")

    merge = merged((b"x", b"garbage"), (b"r1", seal(9, b"old")), (b"b", begin), (b"r1", row), (b"r2", seal(9, b"a zombie's")), (b"m", seal(pack(1, 4), b"")))

    merge.check()
    assert merge.rows == {b"r1": row}


def test_a_rebuild_that_was_not_finished_is_no_state() -> None:
    with pytest.raises(CorruptChangelogError, match="was not finished"):
        merged((b"b", seal(pack(1, 0), b""))).check()


def test_a_key_that_lives_again_gets_no_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 1)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 1)
    graves: Graves[str, int] = Graves()
    graves.bury("a", 1, 0)
    graves.bury("b", 2, 0)
    graves.exhume("a")

    assert len(graves) == 1
    assert graves.take(1) == ([], [("b", 2)])


def test_a_key_buried_again_begins_its_time_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 2)
    graves: Graves[str, int] = Graves()
    first, second = pack(1, 1), pack(1, 2)
    graves.bury("a", first, 0)
    graves.exhume("a")
    graves.bury("a", second, 1)

    assert graves.take(2) == ([], [])
    assert graves.take(3) == ([], [("a", second)])


def test_a_deletion_that_is_said_again_lies_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 4)
    graves: Graves[str, int] = Graves()
    graves.bury("a", pack(1, 1), 0)
    said, _ = graves.take(2)
    graves.bury(*said[0], 2)

    assert graves.take(4) == ([], said)
    assert graves.take(6) == ([], [])


def test_a_key_deleted_anew_between_two_checkpoints_is_said_deleted_with_the_newer_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its life in between was never written, so nothing exhumed it; the older fence would lose to a zombie's row of that life."""
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 1)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 9)
    graves: Graves[str, int] = Graves()
    first, second = pack(1, 15), pack(1, 29)
    graves.bury("a", first, 0)
    graves.bury("a", second, 1)

    assert graves.take(2) == ([("a", second)], [])

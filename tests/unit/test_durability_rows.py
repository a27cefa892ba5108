"""Rows in use are objects, cold ones the bytes of the changelog; nobody who asks sees a difference."""

from __future__ import annotations

import sys

import pytest

from models.durability import rows
from models.durability.fence import pack
from models.durability.rows import RowStore

AFTER = 3

pytestmark = pytest.mark.replaces  # a store that counts is a subclass, and a compiled class has none


class Row(rows.Row):
    def __init__(self, text: str, offset: int) -> None:
        super().__init__()
        self.fence = pack(0, offset)
        self.text = text


class Rows(RowStore[Row]):
    """Counts how often a row was made from its bytes."""

    def __init__(self) -> None:
        super().__init__(lambda row: row.fence.to_bytes(8, "big") + row.text.encode(), self._read)
        self.decoded = 0

    def _read(self, key: str, value: bytes) -> Row:
        self.decoded += 1
        return Row(value[8:].decode(), int.from_bytes(value[:8], "big"))

    def checkpoint(self, number: int, *keys: str) -> dict[str, bytes]:
        written = dict(self.write(list(keys), number))
        self.cool(number)
        return written


@pytest.fixture(autouse=True)
def _soon_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.rows.COLD_AFTER", AFTER)


def cold(text: str = "a text that " * 20) -> Rows:
    """A store with one row ``k`` that is cold."""
    rows = Rows()
    rows["k"] = Row(text, 7)
    rows.checkpoint(1, "k")
    rows.checkpoint(1 + AFTER)
    return rows


def test_a_row_that_nothing_touches_becomes_bytes_and_is_the_same_when_it_is_asked_for() -> None:
    rows = cold("hello")

    row = rows["k"]

    assert (row.text, row.fence, rows.decoded) == ("hello", pack(0, 7), 1)
    assert rows["k"] is row


def test_a_row_stays_as_it_is_until_enough_checkpoints_have_passed() -> None:
    rows = Rows()
    row = rows["k"] = Row("hello", 7)
    rows.checkpoint(1, "k")

    rows.checkpoint(AFTER)

    assert rows["k"] is row


def test_a_row_touched_since_it_was_written_stays() -> None:
    """Written │ touched │ its turn to cool"""
    rows = Rows()
    row = rows["k"] = Row("hello", 7)
    rows.checkpoint(1, "k")
    row.text, row.fence = "hello again", pack(0, 8)

    rows.checkpoint(1 + AFTER)

    assert rows["k"] is row


def test_who_only_looks_leaves_a_row_cold() -> None:
    rows = cold("hello")

    seen = [rows.look("k"), rows.look("k")]

    assert [row.text for row in seen if row is not None] == ["hello", "hello"]
    assert rows.decoded == 2
    assert rows.look("nobody") is None


def test_a_row_that_was_asked_for_and_not_touched_cools_again() -> None:
    rows = cold()
    assert rows.get("k") is not None

    rows.checkpoint(10)
    rows.checkpoint(10 + AFTER)
    rows.get("k")

    assert rows.decoded == 2


def test_a_cold_row_is_written_as_it_was_and_compressed_then() -> None:
    rows = cold()
    first = rows.checkpoint(9, "k")

    assert first == {"k": pack(0, 7).to_bytes(8, "big") + b"a text that " * 20}
    assert rows.decoded == 0
    assert rows.checkpoint(10, "k") == first
    assert rows["k"].text == "a text that " * 20


def test_only_what_was_written_last_of_a_row_waits_for_its_turn_to_cool() -> None:
    """A backlog writes many rows again, or deletes them, long before that."""
    values: list[bytes] = []

    def encode(row: Row) -> bytes:
        values.append(row.fence.to_bytes(8, "big") + row.text.encode())
        return values[-1]

    rows = RowStore[Row](encode, lambda _, value: Row(value[8:].decode(), 0))
    rows["k"], rows["gone"] = Row("a", 1), Row("b", 2)
    list(rows.write(["k", "gone"], 1))
    rows["k"] = Row("c", 3)
    list(rows.write(["k"], 2))
    rows.pop("gone")

    older, gone, last = (sys.getrefcount(value) for value in values)
    assert (older, gone) == (last - 1, last - 1)


def test_a_row_written_twice_cools_by_its_last_turn() -> None:
    rows = Rows()
    row = rows["k"] = Row("hello", 7)
    rows.checkpoint(1, "k")
    rows.checkpoint(2, "k")

    rows.checkpoint(1 + AFTER)
    assert rows["k"] is row
    rows.checkpoint(2 + AFTER)
    assert rows["k"] is not row


def test_a_cold_row_is_compressed_once() -> None:
    rows = cold()
    rows.checkpoint(9, "k")
    compressed = rows._rows["k"]
    rows.checkpoint(10, "k")
    assert rows._rows["k"] is compressed


def test_a_row_kept_as_the_changelog_had_it_is_there() -> None:
    rows = Rows()
    rows.keep_cold("k", pack(0, 3).to_bytes(8, "big") + b"old")

    assert (list(rows), len(rows), "k" in rows) == (["k"], 1, True)
    assert rows["k"].text == "old"


def test_a_row_that_is_gone_is_gone() -> None:
    rows = cold()

    rows.pop("k")
    rows.pop("k")
    rows.checkpoint(20)

    assert rows.get("k") is None
    with pytest.raises(KeyError):
        rows["k"]


def test_a_row_that_went_while_it_cooled_is_not_brought_back() -> None:
    rows = Rows()
    rows["k"] = Row("hello", 7)
    rows.checkpoint(1, "k")
    rows.pop("k")

    rows.checkpoint(1 + AFTER)

    assert "k" not in rows

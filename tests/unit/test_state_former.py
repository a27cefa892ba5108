"""What a rebuild learns from topics that hold garbage too."""

from __future__ import annotations

from agents.cases import CasesProcessor
from models.durability.fence import pack
from models.durability.pane import Pane
from models.durability.recovery import BEGIN, seal
from models.panes.dimensions import Cell
from stream_app.state.former import Former
from stream_app.state.published import Published
from stream_app.wire import changelog, outputs
from stream_app.wire.keyed import CASES
from tests.support.pipeline import LogRecord

CELL: Cell = ("billing", "phone", "high", "unset")


def records(*entries: tuple[bytes | None, bytes | None]) -> list[LogRecord]:
    return [LogRecord(offset, key, value) for offset, (key, value) in enumerate(entries)]


def marker(epoch: int, offset: int) -> tuple[bytes, bytes]:
    state = CasesProcessor(1, CASES).new_state(0)
    state.epoch, state.offset = epoch, offset
    return CASES.marker(state, pack(epoch, offset))


def test_keys_that_still_stand_are_known_and_tombstoned_ones_are_not() -> None:
    pane = Pane(("slow", 0, CELL))
    former = Former()
    former.read_changelog(records((b"ra", seal(1, b"x")), (b"rb", seal(1, b"")), (b"ra", None), (changelog.pane_key(pane), seal(1, b"?"))))
    former.read_cases(records((b"c", b"{}"), (b"d", b"{}"), (b"d", None)))
    assert former.rows == {"b", "c"}
    assert former.panes == {pane.id}


def test_the_newest_marker_counts_wherever_it_stands() -> None:
    former = Former()
    former.read_changelog(records(marker(0, 500), marker(1, 40), marker(1, 30)))
    assert former.marker is not None
    assert (former.marker.epoch, former.marker.offset, former.epoch) == (1, 40, 1)


def test_a_rebuild_that_was_not_finished_counts_for_the_epoch() -> None:
    former = Former()
    former.read_changelog(records(marker(0, 500), (BEGIN, seal(pack(3, 0), b""))))
    assert former.epoch == 3


def test_garbage_is_passed_over() -> None:
    former = Former()
    former.read_changelog(
        records((b"m", b"\xff" * 40), (b"m", b""), (b"p\xff", b"x"), (b"r\xff\xfe", b"x"), (b"?", b"\xff" * 9), (None, b""))
    )
    assert (former.rows, former.panes, former.marker, former.epoch) == (set(), set(), None, 0)


def test_published_panes_merge_forward_only_and_garbage_is_counted() -> None:
    key = outputs.pane_key("cases", 2, "slow", 0, CELL)
    published = Published()
    published.absorb(
        records(
            (key, outputs.pane_value((1, 5), {"opened": 5})),
            (key, outputs.pane_value((0, 9), {"opened": 9})),
            (b"?", b"garbage"),
            (outputs.status_key("cases", 2), b'{"fence":[1,7]}'),
            (outputs.status_key("cases", 2), b'{"fence":[0,99]}'),
            (key, None),
        )
    )
    partition = published.partitions["cases", 2]
    assert {pane: (fence, published.facts(facts)) for pane, (fence, facts) in partition.panes.items()} == {
        ("slow", 0, CELL): ((1, 5), {"opened": 5})
    }
    assert (partition.processed, published.unreadable) == (8, 1)

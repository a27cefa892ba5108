"""The changelog's codec: what is written is what is read, and what nobody of ours wrote is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cases import CasesProcessor
from models.cases.items import FIELDS, item_of
from models.cases.row import CaseRow
from models.customers.row import CustomerRow
from models.durability.fence import pack
from models.durability.pane import Pane
from models.durability.recovery import CorruptChangelogError, Merge, fence_of, seal
from models.events.canonical import ContactVersion, Definitions, Event, Mark
from models.progress.watermark import NEVER
from stream_app.wire import changelog
from stream_app.wire.keyed import CASES

text = st.text(max_size=8)
instants = st.integers(-(2**40), 2**42)
fences = st.builds(pack, st.integers(0, 2**10), st.integers(0, 2**47))
cells = st.tuples(text, text, text, text)
facts = st.dictionaries(st.tuples(text, instants, cells), st.integers(-5, 2**40), max_size=4)
values: dict[str, st.SearchStrategy[Any]] = {
    "flags": st.lists(text, max_size=3).map(tuple),
    "complaint": st.booleans(),
    "public": st.booleans(),
    "automated": st.booleans(),
    "score": st.none() | st.floats(0, 10),
    "resolved": st.none() | st.booleans(),
    "first_contact": st.none() | st.booleans(),
    **dict.fromkeys(("due_first_reply", "due_resolution", "promised_for"), st.none() | instants),
    **dict.fromkeys(("talk_s", "hold_s", "after_contact_s"), st.none() | st.floats(0, 1e6)),
}


@st.composite
def events(draw: st.DrawFn) -> Event:
    name, fields = draw(st.sampled_from(FIELDS))
    given_values = {field: draw(values.get(field, text)) for field in fields}
    return Event(
        type=name, occurred_at=draw(instants), event_id=draw(text), case_id="c1", origin=draw(text), customer_id=draw(text), contact_id=draw(text), **given_values
    )


contacts = st.builds(
    ContactVersion,
    key=text,
    version=st.tuples(st.integers(0, 9), st.integers(0, 99)),
    customer_id=text,
    case_id=text,
    contact_id=text,
    opened_at=instants,
    cell=cells,
    reason=text,
    abandoned=st.booleans(),
    reopened_at=st.lists(instants, max_size=3).map(tuple),
    withdrawn=st.booleans(),
)
clock_levels = st.tuples(text, st.integers(1, 3), instants, instants)
levels = st.none() | st.tuples(cells, text, st.integers(-1, 4), instants, instants, st.lists(clock_levels, max_size=2).map(tuple))
sent = st.tuples(text, instants, text, cells, st.booleans(), st.lists(instants, max_size=2).map(tuple))


def slots(row: Any) -> dict[str, Any]:
    names = (name for name in dir(row) if not name.startswith("_") and name != "fold")
    return {name: value for name in names if not callable(value := getattr(row, name))}


@given(st.lists(events(), max_size=5), facts, levels, st.dictionaries(text, sent, max_size=2), fences, instants, instants)
def test_a_case_is_read_as_it_was_written(
    happened: list[Event], contributed: Any, level: Any, said: Any, fence: int, settled_to: int, wake_at: int
) -> None:
    row = CaseRow()
    for event in happened:
        row.add(item_of(event))
    row.facts, row.level, row.sent, row.fence, row.settled_to, row.wake_at = contributed, level, said, fence, settled_to, wake_at
    row.verdicts = {"first_reply": ("breached", 2, True)}

    again = changelog.decode_case(b"rc1", changelog.encode_case(row))

    assert slots(again) == slots(row)
    assert again.fold is None


@given(st.lists(contacts, max_size=4), facts, fences, instants)
def test_a_customer_is_read_as_it_was_written(known: list[ContactVersion], contributed: Any, fence: int, wake_at: int) -> None:
    row = CustomerRow()
    row.contacts = {contact.key: contact for contact in known}
    row.facts, row.fence, row.wake_at, row.settled_to = contributed, fence, wake_at, NEVER

    assert slots(changelog.decode_customer(b"ru1", changelog.encode_customer(row))) == slots(row)


@given(st.sampled_from(("fast", "slow", "base")), instants, cells, st.dictionaries(text, st.integers(-9, 2**40), max_size=4), fences, st.booleans())
def test_a_pane_is_read_as_it_was_written(tier: str, start: int, cell: Any, held: dict[str, int], fence: int, deleted: bool) -> None:
    pane = Pane((tier, start, cell))
    pane.facts, pane.fence, pane.deleted = {} if deleted else held, fence, deleted

    key, value = CASES.pane(pane)
    again = changelog.decode_pane(key, value)

    assert (again.id, again.facts, again.fence, again.deleted) == (pane.id, pane.facts, pane.fence, pane.deleted)


@given(text, fences)
def test_a_deleted_row_is_its_fence_and_nothing_else(key: str, fence: int) -> None:
    value = CASES.deleted_row(fence)

    assert CASES.is_deleted(value)
    assert fence_of(value) == fence
    assert changelog.key_of_row(changelog.row_key(key)) == key


def test_a_marker_is_read_as_it_was_written() -> None:
    state = CasesProcessor(2, CASES).new_state(1)
    state.define(Definitions(4, {"horizon_s": 7_200}), 0)
    state.mark(Mark({"contacts-0": 1_750_000_000_000}, {"contacts": 1}, 7, simulated=True), 1)
    state.count("applied", 3)
    state.dimensions.note("queue", "billing")

    key, value = changelog.encode_marker(state, pack(0, 2))
    marker = changelog.decode_marker(value)

    assert (key, fence_of(value), marker.offset, marker.watermark, marker.simulated) == (b"m", pack(0, 2), 2, 1_750_000_000_000, True)
    assert (marker.definitions, marker.counters, marker.seen["queue"]) == (state.definitions, {"applied": 3}, ["billing"])
    assert marker.limits == (state.panes.fast_limit, state.panes.slow_limit)


GARBAGE = seal(5, b"\xc1 not what anyone wrote")
WRONG = seal(5, b"\x93\x01\x02\x03")
READERS: list[Callable[[bytes], object]] = [
    lambda value: changelog.decode_case(b"rc1", value),
    lambda value: changelog.decode_customer(b"ru1", value),
    lambda value: changelog.decode_pane(b"p\x93\xa4fast\x00\x94\xa0\xa0\xa0\xa0", value),
    changelog.decode_marker,
]


@pytest.mark.parametrize("value", [GARBAGE, WRONG], ids=["garbage", "wrong type"])
@pytest.mark.parametrize("read", READERS, ids=["case", "customer", "pane", "marker"])
def test_a_corrupt_value_is_refused_with_the_way_out(read: Callable[[bytes], object], value: bytes) -> None:
    with pytest.raises(CorruptChangelogError, match=r"cannot be read.*deskpulse state rebuild"):
        read(value)


@pytest.mark.parametrize("read", [lambda: changelog.decode_pane(b"p\xc1", seal(5, b"")), lambda: changelog.key_of_row(b"r\xff")], ids=["pane", "row"])
def test_a_corrupt_key_is_refused_with_the_way_out(read: Callable[[], object]) -> None:
    with pytest.raises(CorruptChangelogError, match="deskpulse state rebuild"):
        read()


@given(st.binary(max_size=20), st.binary(max_size=40))
def test_whatever_stands_in_a_changelog_is_merged_or_refused(key: bytes, value: bytes) -> None:
    merge = Merge()
    merge.absorb(key, value)
    try:
        merge.check()
    except CorruptChangelogError:
        return
    for held, raw in {**merge.rows, **merge.panes}.items():
        assert (held, raw) == (key, value)

"""Cases and Customers as the engine drives them: handle, publish, checkpoint, recover."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.keyed import KeyedProcessor, UnreadableLogError
from agents.ports import Checkpoint, Output
from models.durability.keyed import KeyedState
from models.durability.recovery import CorruptChangelogError
from models.events.canonical import Definitions, Event, Mark
from stream_app.wire import canonical
from stream_app.wire.keyed import CASES, CUSTOMERS
from tests.support.input_records import InputRecord

T0 = 1_750_003_200_000
HOUR = 3_600_000
BODY = {"horizon_s": 7_200, "queued_channels": ["phone"], "sla": {"targets": {"first_reply": {"default": 900}}}}


def event(offset: int, kind: str, at: int, case: str = "c1", **fields: Any) -> InputRecord:
    body = Event(type=kind, occurred_at=at, event_id=f"e{offset}", case_id=case, origin=f"contacts-0@{offset}", **fields)
    return InputRecord(canonical.encode(body), offset, key=case.encode())


def mark(offset: int, watermark: int) -> InputRecord:
    return InputRecord(canonical.encode(Mark({"contacts-0": watermark}, {"contacts": 1}, watermark)), offset)


def definitions(offset: int = 0) -> InputRecord:
    return InputRecord(canonical.encode(Definitions(1, dict(BODY))), offset)


def opened(offset: int, at: int = T0, case: str = "c1") -> InputRecord:
    return event(offset, "contact.opened", at, case, contact_id=case, customer_id="u1", queue="billing", channel="phone", priority="urgent")


LIFE = (definitions(), opened(1), event(2, "case.resolved", T0 + 60_000), mark(3, T0 + HOUR))


def cases() -> tuple[CasesProcessor, KeyedState[Any]]:
    processor = CasesProcessor(2, CASES)
    return processor, processor.new_state(0)


def recovered(processor: KeyedProcessor, *checkpoints: Checkpoint, parts: tuple[str, ...] = ("panes", "rows", "marker")) -> KeyedState[Any]:
    """The state after these checkpoints, of the last of which only some parts were written."""
    recovery = processor.recover(0)
    for number, checkpoint in enumerate(checkpoints):
        last = number == len(checkpoints) - 1
        for part, records in (("panes", checkpoint.panes), ("rows", checkpoint.rows), ("marker", [checkpoint.marker])):
            if not last or part in parts:
                for key, value in records:
                    recovery.absorb(key, value)
    return recovery.complete()


def checkpoint(processor: KeyedProcessor, state: KeyedState[Any]) -> Checkpoint:
    processor.publish(state)
    return processor.checkpoint(state)


def keys(outputs: list[Output], topic: str) -> list[Any]:
    return [msgspec.json.decode(output.key) if output.key else None for output in outputs if output.topic == topic]


def facts(state: KeyedState[Any]) -> dict[Any, dict[str, int]]:
    return {pane.id: pane.facts for tier in (state.panes.fast, state.panes.slow) for held in tier.values() for pane in held.values() if pane.facts}


def test_records_below_the_offset_are_not_looked_at() -> None:
    processor, state = cases()
    state.offset = 2

    assert processor.handle(state, [InputRecord(b"not json", 1, key=b"c1")]) == []
    assert state.offset == 2


@pytest.mark.parametrize("record", [InputRecord(b"{", 4, key=b"c1"), InputRecord(None, 4, key=b"c1"), InputRecord(b"{}", 4)])
def test_a_record_of_the_log_that_cannot_be_read_stops_the_partition(record: InputRecord) -> None:
    processor, state = cases()

    with pytest.raises(UnreadableLogError, match="record 4 of the log events cannot be read"):
        processor.handle(state, [record])


def test_publishing_sends_panes_then_levels_then_the_status_then_the_marks() -> None:
    processor, state = cases()
    processor.handle(state, LIFE)

    outputs = processor.publish(state)

    kinds = [key[0] for key in keys(outputs, "panes")]
    assert kinds == ["p"] * (len(kinds) - 2) + ["l", "s"]
    assert [(output.key, output.partition) for output in outputs if output.topic == "customer-log"] == [(None, 0), (None, 1)]
    assert outputs[-1].topic == "customer-log"


def test_nothing_is_published_twice_and_no_mark_without_a_moved_watermark() -> None:
    processor, state = cases()
    processor.handle(state, LIFE)
    processor.publish(state)

    assert processor.publish(state) == []

    processor.handle(state, [opened(4, T0 + 2, "c2")])
    outputs = processor.publish(state)
    assert keys(outputs, "panes")[-1][0] == "s"
    assert keys(outputs, "customer-log") == []


def tiers(outputs: list[Output]) -> set[str]:
    return {key[3] for key in keys(outputs, "panes") if key[0] == "p"}


def test_between_checkpoints_slow_panes_and_the_status_that_speaks_of_them_wait() -> None:
    processor, state = cases()
    processor.handle(state, LIFE)
    processor.publish(state)
    processor.handle(state, [opened(4, T0 + HOUR, "c2"), mark(5, T0 + HOUR + 100)])

    part = processor.publish(state, whole=False)
    rest = processor.publish(state)

    assert tiers(part) == {"fast"}
    assert [key[0] for key in keys(part, "panes")][-1] == "l"
    assert len(keys(part, "customer-log")) == 2, "its marks do not wait"
    assert tiers(rest) == {"slow"}
    assert [key[0] for key in keys(rest, "panes")] == ["p", "s"]
    assert processor.publish(state, whole=False) == []


def test_the_first_publication_of_a_partition_is_a_whole_one() -> None:
    processor, state = cases()
    processor.handle(state, LIFE)
    assert tiers(processor.publish(state, whole=False)) == {"fast", "slow"}


def test_slow_panes_wait_for_two_seconds_of_event_time_at_the_most() -> None:
    """
    1 h    + 2 s   + 2.001 s      log's clock
     *       |        *           *: published whole
    """
    processor, state = cases()
    processor.handle(state, LIFE)
    processor.publish(state)
    processor.handle(state, [opened(4, T0 + HOUR, "c2"), mark(5, T0 + HOUR + 2_000)])
    assert tiers(processor.publish(state, whole=False)) == {"fast"}
    processor.handle(state, [mark(6, T0 + HOUR + 2_001)])
    assert tiers(processor.publish(state, whole=False)) == {"slow"}


def test_what_has_moved_to_the_base_is_published_with_the_slices_that_held_it() -> None:
    """Else a balance stood in both of them, or in none."""
    processor, state = cases()
    processor.handle(state, [definitions(), opened(1), mark(2, T0 + 3 * HOUR - 1)])
    processor.publish(state)
    processor.handle(state, [mark(3, T0 + 3 * HOUR)])

    outputs = processor.publish(state, whole=False)

    assert [output.value for output in outputs if b'"slow"' in (output.key or b"")] == [b'{"fence":[0,3],"deleted":true}']
    level = next(output.value for output in outputs if (output.key or b"").startswith(b'["l"'))
    assert msgspec.json.decode(level or b"")["base"] == [[["billing", "phone", "urgent", "unset"], {"open_cases:open": 1}]]
    assert not state.panes.rebased


def test_more_than_a_minute_of_event_time_since_the_last_publication_is_catching_up() -> None:
    """
    1 h      + 60 s     + 60.001 s    watermark
     *                      *         published
    """
    processor, state = cases()
    processor.handle(state, LIFE)
    assert not processor.catching_up(state), "nothing was published yet"
    processor.publish(state)
    processor.handle(state, [mark(4, T0 + HOUR + 60_000)])
    assert not processor.catching_up(state)
    processor.handle(state, [mark(5, T0 + HOUR + 60_001)])
    assert processor.catching_up(state)
    processor.publish(state)
    assert not processor.catching_up(state)


def test_levels_and_status_are_sent_again_on_assignment() -> None:
    """Also to a worker that held the partition before."""
    processor, state = cases()
    processor.handle(state, LIFE)
    written = checkpoint(processor, state)

    again = recovered(processor, written)

    assert [key[0] for key in keys(processor.publish(again), "panes")][-2:] == ["l", "s"]


def test_a_checkpoint_is_one_cut_of_panes_rows_and_marker() -> None:
    processor, state = cases()
    processor.handle(state, LIFE)

    cut = checkpoint(processor, state)

    assert cut.offset == state.offset == 4
    assert {key[:1] for key, _ in cut.panes} == {b"p"}
    assert [key for key, _ in cut.rows] == [b"rc1"]
    assert cut.marker[0] == b"m"
    assert checkpoint(processor, state).rows == []


def test_without_a_marker_the_log_is_read_from_its_start() -> None:
    processor, _ = cases()

    assert processor.recover(0).complete().offset == -1


def test_an_empty_state_makes_a_checkpoint_that_can_be_recovered() -> None:
    processor, state = cases()

    assert recovered(processor, checkpoint(processor, state)).definitions.version == 0


@pytest.mark.parametrize("parts", [(), ("panes",), ("panes", "rows"), ("panes", "rows", "marker")], ids=["nothing", "panes", "rows", "all"])
def test_wherever_a_checkpoint_ends_the_replay_gives_the_same(parts: tuple[str, ...]) -> None:
    processor, state = cases()
    log = [*LIFE, opened(4, T0 + HOUR, "c2"), event(5, "contact.answered", T0 + HOUR + 5, "c2", contact_id="c2"), mark(6, T0 + 2 * HOUR)]
    processor.handle(state, log[:4])
    first = checkpoint(processor, state)
    processor.handle(state, log[4:])
    second = checkpoint(processor, state)

    again = recovered(processor, first, second, parts=parts)
    processor.handle(again, log)

    assert facts(again) == facts(state)
    assert {key: CASES.row(again.rows[key]) for key in again.rows} == {key: CASES.row(state.rows[key]) for key in state.rows}


def test_a_deleted_case_stays_deleted_in_the_replay_and_ends_with_tombstones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 2)
    processor, state = cases()
    processor.handle(state, LIFE)
    first = checkpoint(processor, state)
    end = mark(4, T0 + 5 * HOUR)
    processor.handle(state, [end])
    second = checkpoint(processor, state)
    assert [(key, len(value or b"")) for key, value in second.rows] == [(b"rc1", 8)]

    again = recovered(processor, first, second, parts=("panes", "rows"))
    processor.handle(again, [*LIFE, end])
    assert not again.rows

    said: list[Output] = []
    written: list[tuple[bytes, bytes | None]] = []
    for _ in range(3):
        said += processor.publish(again)
        written += processor.checkpoint(again).rows
    assert (b"rc1", None) in written
    assert ("cases", b"c1", None) in [(output.topic, output.key, output.value) for output in said]
    assert any(output.topic == "panes" and output.value is None for output in said)


def test_a_case_that_lives_again_before_its_tombstone_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.durability.compaction.REWRITE_OVER", 2)
    monkeypatch.setattr("models.durability.compaction.TOMBSTONE_AFTER", 2)
    processor, state = cases()
    processor.handle(state, [*LIFE, mark(4, T0 + 5 * HOUR)])
    checkpoint(processor, state)
    processor.handle(state, [opened(5, T0 + 5 * HOUR)])
    state.forgotten = ["c1"]

    said = processor.publish(state)

    assert ("cases", None) not in [(output.topic, output.value) for output in said]
    assert all(value is not None for key, value in processor.checkpoint(state).rows if key == b"rc1")


def test_a_change_of_definitions_means_the_same_for_a_row_in_memory_and_one_from_the_changelog() -> None:
    processor, state = cases()
    processor.handle(state, [definitions(), opened(1)])
    written = checkpoint(processor, state)
    other = {**BODY, "sla": {"targets": {"first_reply": {"default": 3_000}}}}
    log = [InputRecord(canonical.encode(Definitions(2, other)), 2), event(3, "message.customer", T0 + 5), mark(4, T0 + HOUR)]

    again = recovered(processor, written)

    assert processor.handle(again, log) == processor.handle(state, log)
    assert CASES.row(again.rows["c1"]) == CASES.row(state.rows["c1"])


def test_definitions_are_told_once_where_they_begin_to_hold(caplog: pytest.LogCaptureFixture) -> None:
    processor, state = cases()
    with caplog.at_level("INFO"):
        processor.handle(state, [InputRecord(canonical.encode(Definitions(version, dict(BODY))), offset) for offset, version in enumerate((1, 2, 2, 1))])
    assert [record.getMessage() for record in caplog.records] == [
        "events 0: definitions 1 hold from offset 0 on",
        "events 0: definitions 2 hold from offset 1 on",
    ]


def test_what_the_tiers_had_dropped_does_not_follow_a_changed_horizon() -> None:
    processor, state = cases()
    processor.handle(state, [*LIFE, mark(4, T0 + 9 * HOUR), InputRecord(canonical.encode(Definitions(2, {**BODY, "horizon_s": 36_000})), 5)])

    again = recovered(processor, checkpoint(processor, state))

    assert (again.panes.fast_limit, again.panes.slow_limit) == (state.panes.fast_limit, state.panes.slow_limit)


def test_customers_write_no_levels_no_rows_and_no_marks() -> None:
    contacts = [output for output in CasesProcessor(2, CASES).handle(cases()[1], LIFE) if output.topic == "customer-log"]
    processor = CustomersProcessor(2, CUSTOMERS)
    state = processor.new_state(0)

    processor.handle(state, [definitions(), *(InputRecord(output.value, 1, key=output.key) for output in contacts), mark(2, T0 + HOUR)])
    outputs = processor.publish(state)

    assert list(state.rows) == ["u1"]
    assert {key[0] for key in keys(outputs, "panes")} == {"p", "s"}
    assert {output.topic for output in outputs} == {"panes"}
    assert set(recovered(processor, processor.checkpoint(state)).rows) == {"u1"}


def test_a_corrupt_row_makes_the_whole_recovery_fail() -> None:
    recovery = cases()[0].recover(0)
    recovery.absorb(b"rc1", bytes(8) + b"\xc1")

    with pytest.raises(CorruptChangelogError):
        recovery.complete()

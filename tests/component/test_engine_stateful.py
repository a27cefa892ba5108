"""One stateful partition: the order of a checkpoint, what is dropped, how it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from agents.ports import Checkpoint, Output
from stream_app.engine.batches import PartitionBatch
from stream_app.engine.durations import Durations
from stream_app.engine.failure import FailStop
from stream_app.engine.outbox import Outbox
from stream_app.engine.settings import EngineSettings
from stream_app.engine.stateful import StatefulPartition, Status
from tests.support.fake_producer import FakeProducer
from tests.support.waiting import eventually_async

NEVER = 3600.0


class Processor:
    """Counts; each record gives an output, each publish a pane, each checkpoint one of each part."""

    name, log, changelog = "toy", "events", "changelog"
    follows_a_backlog = False
    leaps_once = False

    def __init__(self) -> None:
        self.turns: list[int] = []
        self.published_at: list[float] = []
        self.whole: list[bool] = []

    def recover(self, partition: int) -> Any:
        raise NotImplementedError

    def handle(self, state: Any, records: Sequence[Any]) -> list[Output]:
        if any(record.value == b"poison" for record in records):
            raise ValueError("poison")
        state.offset = records[-1].offset + 1
        return [Output("case-events", b"k", b"output-%d" % record.offset, partition=0) for record in records]

    def catching_up(self, state: Any) -> bool:
        return self.follows_a_backlog

    def publish(self, state: Any, *, whole: bool = True) -> list[Output]:
        self.follows_a_backlog = self.follows_a_backlog and not self.leaps_once
        self.published_at.append(monotonic())
        self.whole.append(whole)
        return [Output("panes", b"k", b"published-%d" % state.offset)]

    def checkpoint(self, state: Any, turns: int = 1) -> Checkpoint:
        self.turns.append(turns)
        return Checkpoint(state.offset, [(b"p", b"pane")], [(b"r", b"row")], (b"m", b"marker-%d" % state.offset))


class Bench:
    """A partition on a fake producer, with what was committed and why it failed."""

    def __init__(self, publish_interval: float = NEVER, checkpoint_interval: float = NEVER) -> None:
        self.producer = FakeProducer()
        self.committed: list[int] = []
        self.exit_codes: list[int] = []
        self.fail = FailStop(self.exit_codes.append)
        self.settings = EngineSettings(publish_interval=publish_interval, checkpoint_interval=checkpoint_interval)
        outbox = Outbox(
            self.producer,
            str,
            {"case-events": 1, "panes": 1, "changelog": 1},
            limit=10_000,
            failed=lambda reason, cause: self.fail(reason, cause=cause),
        )
        self.processor = Processor()
        self.elsewhere = 0
        self.partition = StatefulPartition(
            self.processor,
            0,
            1,
            outbox,
            self.commit,
            self.settings,
            self.fail,
            Durations(),
            lambda: self.elsewhere + self.partition.records_handled,
        )
        self.state = SimpleNamespace(partition=0, offset=0)

    async def commit(self, log: str, partition: int, offset: int) -> None:
        assert (log, partition) == ("events", 0)
        self.committed.append(offset)

    @property
    def written(self) -> list[bytes | None]:
        return [value for _, _, records in self.producer.sent for _, value in records]

    def batch(self, *offsets: int, start: int | None = None, epoch: int = 1, value: bytes = b"v") -> PartitionBatch:
        records: list[Any] = [SimpleNamespace(offset=offset, key=b"k", value=value) for offset in offsets]
        return PartitionBatch(TP("events", 0), epoch, offsets[0] if start is None else start, offsets[-1] + 1, offsets[-1] + 1, records)


async def test_a_checkpoint_writes_outputs_and_panes_then_rows_then_the_marker_alone_then_commits() -> None:
    bench = Bench()
    bench.partition.open(bench.state)
    await bench.partition.on_batch(bench.batch(0, 1))

    await bench.partition.close()

    assert bench.written == [b"output-0", b"output-1", b"published-2", b"pane", b"row", b"marker-2"]
    assert bench.producer.sent[-1] == ("changelog", 0, [(b"m", b"marker-2")])
    assert bench.committed == [2]
    assert bench.partition.status is Status.CLOSED
    assert bench.partition.state is None


async def test_no_part_of_a_checkpoint_is_sent_before_the_part_before_is_acknowledged() -> None:
    bench = Bench()
    bench.partition.open(bench.state)
    bench.producer.hold = True
    await bench.partition.on_batch(bench.batch(0))
    closing = asyncio.ensure_future(bench.partition.close())

    # each part is all that has been sent since the release before
    for expected in ([b"output-0"], [b"published-1", b"pane"], [b"row"], [b"marker-1"]):
        await eventually_async(partial(sent_last, bench, expected), within_seconds=2)
        await asyncio.sleep(0.01)  # time for a part that does not wait
        assert await sent_last(bench, expected)
        assert bench.committed == []
        bench.producer.release()
    await asyncio.wait_for(closing, 2)
    assert bench.committed == [1]


async def sent_last(bench: Bench, values: list[bytes]) -> bool:
    return bench.written[-len(values) :] == values


async def test_partitions_that_were_opened_at_different_times_publish_at_the_same_instant() -> None:
    benches = [Bench(publish_interval=0.2) for _ in range(3)]
    for bench in benches:
        bench.partition.open(bench.state)
        await asyncio.sleep(0.07)
    await asyncio.sleep(0.4)
    last = [bench.processor.published_at[-1] for bench in benches]
    assert max(last) - min(last) < 0.05
    for bench in benches:
        await bench.partition.close()


async def test_only_checkpoints_publish_whole() -> None:
    bench = Bench(publish_interval=0.01)
    bench.partition.open(bench.state)
    await asyncio.sleep(0.05)
    await bench.partition.close()
    *between, last = bench.processor.whole
    assert between
    assert not any(between)
    assert last


async def test_partitions_take_turns_with_their_checkpoints() -> None:
    """So that not all of them write at the same beat what they have kept for a second."""
    benches = [Bench(publish_interval=0.02, checkpoint_interval=0.4) for _ in range(4)]
    began = monotonic()
    for number, bench in enumerate(benches):
        bench.partition.open(bench.state, number / 4)
    await asyncio.sleep(1.0)
    for number, bench in enumerate(benches):
        first = bench.processor.published_at[bench.processor.whole.index(True)]
        assert first - began == pytest.approx(0.4 + 0.1 * number, abs=0.06)
        await bench.partition.close()


async def test_in_a_backlog_only_the_checkpoints_publish() -> None:
    bench = Bench(publish_interval=0.01)
    bench.processor.follows_a_backlog = True
    bench.partition.open(bench.state)
    await bench.partition.on_batch(bench.batch(0))
    await asyncio.sleep(0.05)
    assert bench.written == [b"output-0"]

    await bench.partition.close()
    assert bench.written == [b"output-0", b"published-1", b"pane", b"row", b"marker-1"]


async def test_after_a_backlog_what_has_changed_is_published_as_soon_as_no_more_records_come() -> None:
    bench = Bench(publish_interval=0.01, checkpoint_interval=0.2)
    bench.processor.follows_a_backlog = True
    bench.partition.open(bench.state)
    await bench.partition.on_batch(bench.batch(0))

    async def published_between_checkpoints() -> bool:
        return bench.written.count(b"published-1") > bench.written.count(b"pane") + 2

    await eventually_async(published_between_checkpoints, within_seconds=5)
    await bench.partition.close()


async def test_a_backlog_lasts_while_the_worker_handles_anything() -> None:
    """Whatever comes before this partition in the flow will still bring it records."""
    bench = Bench(publish_interval=0.05, checkpoint_interval=NEVER)
    bench.processor.follows_a_backlog = True
    bench.partition.open(bench.state)
    await bench.partition.on_batch(bench.batch(0))
    await flowing(bench, 0.8)
    assert bench.written == [b"output-0"]
    assert bench.partition.in_backlog

    async def published() -> bool:
        return b"published-1" in bench.written

    await eventually_async(published, within_seconds=5)
    assert not bench.partition.in_backlog
    await bench.partition.close()


async def flowing(bench: Bench, seconds: float) -> None:
    for _ in range(int(seconds * 100)):
        bench.elsewhere += 1
        await asyncio.sleep(0.01)


async def after_a_leap() -> Bench:
    """A partition whose checkpoint has published one leap of event time, while records go on."""
    bench = Bench(publish_interval=0.01, checkpoint_interval=0.2)
    bench.processor.follows_a_backlog = bench.processor.leaps_once = True
    bench.partition.open(bench.state)
    await bench.partition.on_batch(bench.batch(0))
    await flowing(bench, 0.3)
    return bench


async def test_a_single_leap_of_event_time_is_published_with_the_next_checkpoint_and_no_backlog_after_it() -> None:
    """A source that declares its progress every few minutes; others go on meanwhile."""
    bench = await after_a_leap()
    await flowing(bench, 0.2)
    assert not bench.partition.in_backlog
    assert bench.written.count(b"published-1") > 5
    await bench.partition.close()


async def test_leap_after_leap_is_one_backlog() -> None:
    bench = await after_a_leap()
    bench.processor.follows_a_backlog = True
    await flowing(bench, 0.5)
    assert not bench.processor.follows_a_backlog, "a checkpoint has published"
    assert bench.partition.in_backlog
    await bench.partition.close()


async def test_a_late_checkpoint_tells_how_many_intervals_it_stands_for() -> None:
    """What compaction asks to be written again in time goes by them: without them a backlog would write it too late."""
    bench = Bench(checkpoint_interval=0.01)
    bench.partition.open(bench.state)
    await asyncio.sleep(0.1)

    await bench.partition.close()

    [turns] = bench.processor.turns
    assert turns >= 5


async def test_a_checkpoint_covers_the_moment_it_began_not_what_came_during_its_writes() -> None:
    bench = Bench(publish_interval=0.01, checkpoint_interval=0.0)
    bench.partition.open(bench.state)
    bench.producer.hold = True
    await bench.partition.on_batch(bench.batch(0))

    async def waiting() -> bool:
        return len(bench.producer.sent) >= 1

    await eventually_async(waiting, within_seconds=2)
    await asyncio.sleep(0.05)  # the cut is taken now, and waits for the output
    await bench.partition.on_batch(bench.batch(1))

    async def first_commit() -> list[int]:
        bench.producer.release()
        return bench.committed

    assert (await eventually_async(first_commit, within_seconds=2))[0] == 1
    bench.producer.hold = False
    bench.producer.release()
    await bench.partition.close()
    assert bench.committed[-1] == 2


async def test_records_at_or_below_the_processed_offset_are_not_handled_again() -> None:
    bench = Bench()
    bench.state.offset = 5
    bench.partition.open(bench.state)

    await bench.partition.on_batch(bench.batch(3, 4, 5, 6, start=5))
    await bench.partition.close()

    assert [value for value in bench.written if value and value.startswith(b"output")] == [b"output-5", b"output-6"]


async def test_work_of_another_epoch_is_dropped() -> None:
    bench = Bench()
    bench.partition.open(bench.state)

    await bench.partition.on_batch(bench.batch(0, epoch=0))

    assert bench.state.offset == 0
    await bench.partition.close()


async def test_work_that_finds_no_open_state_is_dropped() -> None:
    bench = Bench()
    await bench.partition.on_batch(bench.batch(0))
    bench.partition.open(bench.state)
    await bench.partition.close()
    await bench.partition.on_batch(bench.batch(0))
    assert bench.state.offset == 0


async def test_a_batch_that_comes_while_the_last_checkpoint_is_written_is_dropped() -> None:
    """Batch 0-1 | close begins, waits for the broker | batch 5, after one that was cut short"""
    bench = Bench()
    bench.partition.open(bench.state)
    bench.producer.hold = True
    await bench.partition.on_batch(bench.batch(0, 1))
    closing = asyncio.ensure_future(bench.partition.close())
    await asyncio.sleep(0.01)

    await bench.partition.on_batch(bench.batch(5))

    assert bench.exit_codes == []
    bench.producer.hold = False
    bench.producer.release()
    await closing
    assert bench.committed == [2]


async def test_a_lost_batch_is_noticed_and_ends_the_process() -> None:
    bench = Bench()
    bench.partition.open(bench.state)

    await bench.partition.on_batch(bench.batch(7))

    assert bench.exit_codes == [70]
    assert "was lost" in str(bench.fail.reason)
    bench.partition.status = Status.CLOSED
    await bench.partition.close()


async def test_holes_in_the_log_are_no_lost_batches() -> None:
    bench = Bench()
    bench.partition.open(bench.state)
    first = bench.batch(0)
    first.next = 4  # control records up to there

    await bench.partition.on_batch(first)
    await bench.partition.on_batch(bench.batch(6, start=4))

    assert bench.exit_codes == []
    assert bench.partition.position == 7
    await bench.partition.close()


async def test_a_failing_commit_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(publish_interval=0.01, checkpoint_interval=0.0)

    async def refuse(*_: object) -> None:
        raise OSError("no coordinator")

    bench.partition._commit = refuse
    bench.partition.open(bench.state)
    await bench.partition.on_batch(bench.batch(0))

    async def failed() -> list[int]:
        return bench.exit_codes

    assert await eventually_async(failed, within_seconds=2) == [70]
    with pytest.raises(OSError, match="no coordinator"):
        await bench.partition._writer  # type: ignore[misc]


async def test_a_cancelled_checkpoint_ends_the_process() -> None:
    bench = Bench(publish_interval=0.01, checkpoint_interval=0.0)
    bench.partition.open(bench.state)
    bench.producer.hold = True
    await bench.partition.on_batch(bench.batch(0))
    await asyncio.sleep(0.05)  # the checkpoint waits for the output by now
    writer = bench.partition._writer
    assert writer is not None

    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)

    assert bench.exit_codes == [70]

"""What a partition knows of time: one progress per source, the least of them is the watermark."""

from __future__ import annotations

from models.events.canonical import Mark
from models.progress.watermark import NEVER, Progress


def mark(sources: dict[str, int], topics: dict[str, int] | None = None, clock: int = 0, **fields: object) -> Mark:
    return Mark(sources, topics if topics is not None else {"a": 1, "b": 1}, clock, **fields)  # type: ignore[arg-type]


def test_the_watermark_is_the_least_progress_and_never_the_greatest() -> None:
    #    a-0 ───────────● 90
    #    b-0 ────● 40               <- watermark
    progress = Progress()
    assert progress.take(mark({"a-0": 90, "b-0": 40}))
    assert progress.watermark == 40


def test_a_source_that_no_one_has_heard_of_holds_the_watermark_back() -> None:
    progress = Progress()
    assert not progress.take(mark({"a-0": 90}))
    assert progress.watermark == NEVER
    assert progress.take(mark({"b-0": 10}))
    assert progress.watermark == 10


def test_an_older_mark_changes_nothing() -> None:
    progress = Progress()
    progress.take(mark({"a-0": 90, "b-0": 40}, clock=100))
    assert not progress.take(mark({"a-0": 50, "b-0": 30}, clock=70))
    assert (progress.sources, progress.clock) == ({"a-0": 90, "b-0": 40}, 100)


def test_new_partitions_of_a_topic_are_waited_for_and_the_watermark_never_falls() -> None:
    progress = Progress()
    progress.take(mark({"a-0": 90, "b-0": 40}))
    assert not progress.take(mark({"b-0": 80}, {"a": 2, "b": 1}))
    assert progress.watermark == 40
    progress.take(mark({"a-1": 85}, {"a": 1, "b": 1}))  # a writer that knows of fewer takes none away
    assert progress.watermark == 80
    assert progress.topics == {"a": 2, "b": 1}


def test_a_source_leaves_only_by_saying_so_and_may_come_back() -> None:
    progress = Progress()
    progress.take(mark({"a-0": 90, "b-0": 40}))
    assert progress.take(mark({}, left=("b-0", "never-there-0")))
    assert progress.watermark == 90
    progress.take(mark({"b-0": 50}))
    assert progress.watermark == 90


def test_without_any_source_there_is_no_watermark() -> None:
    progress = Progress()
    assert not progress.take(mark({}, {}))
    assert progress.watermark == NEVER


def test_a_source_of_a_topic_that_no_mark_lists_counts_all_the_same() -> None:
    progress = Progress()
    progress.take(mark({"a-0": 90, "stray-3": 20}, {"a": 1}))
    assert progress.watermark == 20


def test_simulated_is_what_the_last_mark_says() -> None:
    progress = Progress()
    progress.take(mark({"a-0": 1}, simulated=True))
    assert progress.simulated
    progress.take(mark({"a-0": 2}))
    assert not progress.simulated


def test_a_restored_progress_goes_on_where_the_former_stood() -> None:
    before = Progress()
    before.take(mark({"a-0": 90, "b-0": 40}, clock=100, simulated=True))
    after = Progress()
    after.restore(before.sources, before.topics, before.clock, before.watermark, simulated=before.simulated)
    assert not after.take(mark({"b-0": 40}, clock=100, simulated=True))
    assert (after.watermark, after.clock, after.simulated) == (40, 100, True)
    after.take(mark({"b-0": 60}))
    assert (after.watermark, before.watermark, before.sources["b-0"]) == (60, 40, 40)

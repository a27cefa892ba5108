"""Late data is late data: nothing is called late on catch-up, and no breach is confirmed while a source is silent.

    contacts     ●────────────────────────●  10:00 … 14:00
    resolutions  ●──────(silent)                            <- holds the watermark at 11:00
    breach due 12:00: not confirmed before resolutions are known to be past 12:00
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from stream_app.feeds.feed import FeedEvent
from stream_app.feeds.simulator import SimulatedFeed
from tests.support.pipeline import INPUTS, Pipeline

HOUR = 3_600_000
TEN = 1_772_445_600_000  # 2026-03-02T10:00:00Z


def opened(case: str, at: int, **fields: object) -> dict[str, object]:
    """A case of normal priority: reply due in 4 h, resolution in a day."""
    return {"type": "contact.opened", "event_id": f"{case}-o", "occurred_at": at, "case_id": case, "priority": "normal", **fields}


def reply(case: str, at: int) -> dict[str, object]:
    """A public reply by a person."""
    return {"type": "message.representative", "event_id": f"{case}-r", "occurred_at": at, "case_id": case, "public": True, "representative_id": "r1"}


def said(pipeline: Pipeline, kind: str) -> list[dict[str, Any]]:
    """The sla-events of a kind."""
    found = [msgspec.json.decode(record.value or b"") for record in pipeline.topics.all("sla-events")]
    return [event for event in found if event["kind"] == kind]


def progress_of(pipeline: Pipeline, source: str) -> int | None:
    """The published progress of a source."""
    value: int | None = pipeline.newest("kpis")[msgspec.json.encode(["source_progress", "now", {"source": source}])]["value"]
    return value


def values(rows: dict[bytes, dict[str, Any]]) -> dict[bytes, Any]:
    """Values of days and of the span. Without rows whose data was taken back after they were final (a case merged
    later; null or zero), and without hours: a quiet hour has a row only if a fact was ever counted in it."""
    return {key: row["value"] for key, row in rows.items() if row["value"] and row["window"] != "hour"}


@pytest.fixture(scope="module")
def traffic() -> list[FeedEvent]:
    return [event for event in SimulatedFeed(11, 3_000).events() if event.event["type"] != "source.progress"]


def test_backlog_drained_unevenly_makes_nothing_late(traffic: list[FeedEvent]) -> None:
    """Four partitions per topic, read one after the other in bursts of very different size: no event is behind the watermark."""
    pipeline = Pipeline(4, progress="wall", rollup=False)
    for event in traffic:
        pipeline.feed(event.topic, event.event)
    chance = random.Random(5)
    sources = [f"{name}-{number}" for name in INPUTS for number in range(4)]
    left = list(sources)
    while left:
        source = chance.choice(left[:3])
        if not pipeline.read(source, chance.choice((1, 20, 700))):
            left.remove(source)
        pipeline.tell_time()
        pipeline.process()
    assert sum(state.counters.get("late", 0) for state in pipeline.states.values()) == 0
    assert sum(state.counters.get("applied", 0) for (name, _), state in pipeline.states.items() if name == "cases") > 2_000


def test_silent_declared_source_confirms_no_breach_and_is_named() -> None:
    pipeline = Pipeline(2)
    pipeline.declare(TEN, INPUTS)
    pipeline.feed("contacts", opened("c", TEN))
    pipeline.declare(TEN + HOUR)
    pipeline.declare(TEN + 6 * HOUR, ("contacts", "surveys"))
    pipeline.drain()
    assert said(pipeline, "breached") == []
    assert progress_of(pipeline, "resolutions-0") == TEN + HOUR
    assert progress_of(pipeline, "contacts-0") == TEN + 6 * HOUR

    pipeline.declare(TEN + 6 * HOUR, ("resolutions",))
    pipeline.drain()
    [breach] = said(pipeline, "breached")
    assert (breach["metric"], breach["due_at"], breach["confirmed"]) == ("first_reply", TEN + 4 * HOUR, True)


def test_intake_that_was_down_past_a_deadline_brings_no_false_breach() -> None:
    """The reply was written in time but read late: with the source behind, nothing is said until it has been read."""
    pipeline = Pipeline(2)
    pipeline.feed("contacts", opened("c", TEN))
    pipeline.declare(TEN + HOUR)
    pipeline.drain()
    pipeline.feed("resolutions", reply("c", TEN + 3 * HOUR))
    pipeline.declare(TEN + 8 * HOUR)
    pipeline.drain(("contacts", "surveys"))  # the Intake of resolutions is down
    assert said(pipeline, "breached") == []
    pipeline.drain()
    assert said(pipeline, "breached") == []
    assert [event["metric"] for event in said(pipeline, "met")] == ["first_reply"]


def test_source_that_comes_back_gives_the_same_numbers_as_without_the_stop(traffic: list[FeedEvent]) -> None:
    runs = []
    end = traffic[-1].occurred_at + 9 * 24 * HOUR
    for stopped in (False, True):
        pipeline = Pipeline(2)
        for number, event in enumerate(traffic):
            pipeline.feed(event.topic, event.event)
            if number % 500 == 499:
                pipeline.declare(event.occurred_at - 24 * HOUR)
                pipeline.drain(("contacts", "surveys") if stopped else INPUTS)
        pipeline.declare(end)
        pipeline.drain()
        runs.append((pipeline.facts(), pipeline.newest("kpi-windows")))
    assert runs[0][0] == runs[1][0]
    assert values(runs[0][1]) == values(runs[1][1])


def test_declared_source_never_heard_of_keeps_the_watermark_unknown() -> None:
    pipeline = Pipeline(2)
    pipeline.feed("contacts", opened("c", TEN))
    pipeline.declare(TEN + 9 * HOUR, ("contacts", "surveys"))
    pipeline.drain()
    assert pipeline.newest("kpis")[b'["watermark","now",{}]']["value"] is None
    assert progress_of(pipeline, "resolutions-1") is None
    assert said(pipeline, "breached") == []

"""The pipeline that a replay makes for itself: its settings, and what it reads of the results."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.feeds.feed import FeedOutline
from stream_app.feeds.pipeline import first_of, horizon, input_topics, published_watermark, span_rows, worker_environment
from stream_app.feeds.rebase import Rebase
from stream_app.feeds.replay import ReplayPlan, send_feed
from stream_app.settings import load_settings
from stream_app.topics import specs_of
from tests.support.feeds import ListFeed, RememberingSender

DAY_MS = 86_400_000
OPENED = {"event_id": "e", "type": "contact.opened", "case_id": "c", "occurred_at": 0}


def outline(days: float) -> FeedOutline:
    return FeedOutline(10, 0, int(days * DAY_MS) - 1, int(days * DAY_MS), 3600_000)


def test_settings_of_the_pipeline_are_accepted_and_let_no_clock_in() -> None:
    feed = ListFeed([OPENED])
    settings = load_settings(environment=worker_environment(feed, outline(400), "127.0.0.1:1", "replay-x"))
    assert {given.progress for given in settings.active_inputs().values()} == {"declared"}
    assert {name: settings.topic(name) for name in settings.active_inputs()} == input_topics("replay-x")
    assert settings.kpis.span
    assert not settings.kpis.live_windows
    assert settings.time.simulated


def test_topics_of_two_replays_have_no_name_in_common() -> None:
    def names(prefix: str) -> set[str]:
        environment = worker_environment(ListFeed([OPENED]), outline(1), "127.0.0.1:1", prefix)
        return {spec.name for spec in specs_of(load_settings(environment=environment))}

    assert not names("replay-a") & names("replay-b")


def test_horizon_holds_the_whole_feed_with_the_oldest_instant_of_finished_records() -> None:
    assert horizon(outline(400)) == timedelta(days=402)
    assert horizon(outline(3)) == timedelta(days=35)


def key(*parts: object) -> bytes:
    return json.dumps(parts).encode()


def test_watermark_is_read_from_its_own_record_only() -> None:
    assert published_watermark(key("watermark", "now", {}), b'{"value": 7}') == 7
    assert published_watermark(key("watermark", "now", {}), b'{"value": null}') is None
    assert published_watermark(key("opened", "today", {}), b'{"value": 7}') is None
    assert published_watermark(key("watermark", "now", {}), None) is None


def test_summary_is_the_span_in_total_with_surveys_by_route() -> None:
    rows = [
        {"kpi": "opened", "window": "span", "group": {}},
        {"kpi": "opened", "window": "day", "group": {}},
        {"kpi": "opened", "window": "span", "group": {"queue": "billing"}},
        {"kpi": "csat", "window": "span", "group": {"route": "sms"}},
    ]
    contents = {str(number).encode(): json.dumps(row).encode() for number, row in enumerate(rows)}
    assert span_rows(contents) == [rows[3], rows[0]]


async def test_failure_of_a_watched_process_ends_the_work() -> None:
    working = asyncio.create_task(asyncio.sleep(3600, None))

    async def fail() -> None:
        raise RuntimeError("a worker ended")

    with pytest.raises(RuntimeError, match="a worker ended"):
        await first_of(working, asyncio.create_task(fail()))
    assert working.cancelled()


def paced(events: int, gap_ms: int, **plan: object) -> RememberingSender:
    feed = ListFeed([OPENED | {"event_id": f"e{number}", "occurred_at": (number + 1) * gap_ms} for number in range(events)])
    sender = RememberingSender()
    topics = {"contacts": "in.contacts", "resolutions": "in.resolutions", "surveys": "in.surveys"}
    asyncio.run(send_feed(feed, sender, ReplayPlan(topics=topics, **plan)))  # type: ignore[arg-type]
    return sender


def test_pace_declares_progress_while_it_waits_and_never_past_the_next_event() -> None:
    records = paced(3, 1_000_000, speed=5000.0).records
    kinds = [record.event["type"] for record in records]
    second = [number for number, kind in enumerate(kinds) if kind == "contact.opened"][1]
    waiting = [record.event["up_to"] for record in records[1:second]]
    assert waiting
    assert max(waiting) < 2_000_000


def test_pace_of_moved_times_is_real_time() -> None:
    records = paced(2, 60_000, speed=300.0, rebase=Rebase(60_000, 10_000, 300.0), declare=False).records
    assert [record.event["occurred_at"] for record in records] == [10_000, 10_200]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "uci498", "--speed", "fast"], "neither `max` nor a factor"),
        (["replay", "uci498", "--speed", "0x"], "neither `max` nor a factor"),
        (["replay", "no-such-file"], "no-such-file is neither a file nor one of uci498, boston311"),
        (["simulate", "--events", "10"], "--events needs --out"),
        (["simulate", "--out", "x.jsonl"], "--out needs --events"),
        (["simulate", "--history", "soon"], "--history"),
    ],
)
def test_command_that_cannot_be_meant_is_refused_in_words(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert message in result.output


def test_simulate_writes_a_file_and_says_that_it_is_simulated() -> None:
    runner = CliRunner()
    with runner.isolated_filesystem():
        result = runner.invoke(main, ["simulate", "--events", "500", "--seed", "3", "--out", "some.jsonl.gz"])
    assert result.exit_code == 0
    assert "500 simulated events in some.jsonl.gz" in result.output

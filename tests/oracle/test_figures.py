"""The truth figures of the real data sets (see data/), by the oracle's SQL over their events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stream_app.feeds.boston311 import Boston311Feed
from stream_app.feeds.event_file import write_events
from stream_app.feeds.feed import Feed
from stream_app.feeds.uci498 import Uci498Feed
from tests.oracle import events, truth

pytestmark = pytest.mark.oracle

Database = duckdb.DuckDBPyConnection
HOUR_MS = 3_600_000


def _facts(feed: Feed, directory: Path, zone: str) -> Iterator[Database]:
    file = directory / "events.jsonl"
    write_events(file, feed.events(), simulated=False)
    with duckdb.connect() as connection:
        events.load_file(connection, file)
        truth.prepare(connection, {"horizon_s": 3_000_000_000, "zone": zone}, feed.outline().final_instant)
        truth.build_facts(connection)
        yield connection


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    yield from _facts(Uci498Feed(), tmp_path_factory.mktemp("uci498"), "UTC")


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    yield from _facts(Boston311Feed(), tmp_path_factory.mktemp("boston311"), "America/New_York")


def row(database: Database, query: str) -> tuple[Any, ...]:
    found = database.execute(query).fetchone()
    assert found is not None
    return tuple(found)


ENDED = "(SELECT case_id, min(moment) AS ended_at FROM timeline WHERE type IN ({types}) GROUP BY ALL)"
STILL = (
    "SELECT count(*) FROM opening LEFT JOIN {ended} USING (case_id)"
    " WHERE opened_at < {instant} AND (ended_at IS NULL OR ended_at >= {instant})"
)


@pytest.mark.parametrize(("month", "open_still", "unresolved"), [(4, 3344, 1462), (5, 2953, 1179), (6, 2036, 1169)])
def test_incidents_not_closed_and_not_resolved_at_the_start_of_a_month(
    incidents: Database, month: int, open_still: int, unresolved: int
) -> None:
    instant = f"epoch_ms(TIMESTAMP '2016-{month:02}-01')"
    closed = ENDED.format(types="'case.closed'")
    resolved = ENDED.format(types="'case.resolved', 'case.closed'")
    assert row(incidents, STILL.format(ended=closed, instant=instant)) == (open_still,)
    assert row(incidents, STILL.format(ended=resolved, instant=instant)) == (unresolved,)


def test_incidents_without_another_of_the_same_caller_and_category_within_seven_days(incidents: Database) -> None:
    """What `repeat_contact_rate` is made of: contacts less those repeated by another contact."""
    contacts, repeated = (
        row(incidents, f"SELECT sum(value) FROM fact WHERE key = '{key}'")[0] for key in ("customer_contacts", "customer_contacts_repeated")
    )
    assert (contacts, contacts - repeated) == (24_915, 20_087)


def test_hours_from_opening_to_the_first_resolved_row(incidents: Database) -> None:
    ended = ENDED.format(types="'case.resolved'")
    found = row(
        incidents,
        f"SELECT count(*), quantile_cont((ended_at - opened_at) / {HOUR_MS}, [0.5, 0.9]) FROM opening JOIN {ended} USING (case_id)",
    )
    assert found[0] == 24_905
    assert found[1] == pytest.approx([13.8833, 350.65], abs=1e-3)


def test_incidents_were_reopened_331_times_by_the_source(incidents: Database) -> None:
    assert row(incidents, "SELECT count(*), count(DISTINCT case_id) FROM timeline WHERE type = 'case.reopened'") == (331, 275)


def test_two_incidents_answer_before_they_open(incidents: Database) -> None:
    assert row(incidents, "SELECT count(*) FROM fact WHERE key = 'clamped'") == (2,)


def test_resolution_clocks_of_the_city_and_how_many_were_met(requests: Database) -> None:
    found = row(requests, "SELECT count(*) FILTER (key = 'sla_met'), count(*) FROM fact WHERE key LIKE 'sla_%' AND part = 'resolution'")
    assert found == (60_054, 90_653)


def test_requests_closed_and_the_hours_that_took(requests: Database) -> None:
    """The file's own figures, 67.1644 and 929.2459, are of wall times: an hour more or less across a change of clocks."""
    found = row(
        requests,
        f"SELECT count(*), quantile_cont((resolved_at - opened_at) / {HOUR_MS}, [0.5, 0.9]) FROM case_outcome WHERE resolved_at IS NOT NULL",
    )
    assert found[0] == 101_272
    assert found[1] == pytest.approx([67.1639, 928.9179], abs=1e-3)


@pytest.mark.parametrize(
    ("midnight", "unresolved"), [("2015-04-01", 8353), ("2015-07-01", 13_876), ("2015-10-01", 19_290), ("2016-01-01", 21_174)]
)
def test_requests_open_at_the_end_of_a_quarter(requests: Database, midnight: str, unresolved: int) -> None:
    instant = f"epoch_ms(timezone('America/New_York', TIMESTAMP '{midnight}'))"
    found = row(requests, f"SELECT sum(value) FROM balance WHERE moment < {instant} AND status <> 'resolved'")
    assert found == (unresolved,)

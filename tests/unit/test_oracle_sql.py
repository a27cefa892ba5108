"""The oracle's SQL against cases worked out by hand. Every scenario has a queue of its own; instants are minutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest

from models.catalogue.registry import CATALOGUE
from tests.oracle import events, truth
from tests.oracle.compare import compare, load_published, write_published
from tests.oracle.kpi_names import FORMULAS
from tests.oracle.truth import SPAN, Key, Row

MONDAY = 1_741_564_800_000
MINUTE = 60_000
DAY = 1440
WATERMARK = MONDAY + 20 * DAY * MINUTE
BODY: Mapping[str, object] = {
    "horizon_s": 3_024_000,
    "sla": {
        "targets": {"first_reply": {"urgent": 600, "default": 3600}, "resolution": {"urgent": 3600, "normal": 7200}},
        "pause_statuses": ["pending_customer"],
    },
}

Event = dict[str, object]


def event(minute: float, kind: str, case: str, /, **fields: object) -> Event:
    number = f"{case}/{kind}/{minute}/{sorted(fields.items())}"
    return {"type": kind, "event_id": number, "occurred_at": round(MONDAY + minute * MINUTE), "case_id": case, **fields}


def opened(minute: float, case: str, /, **fields: object) -> Event:
    """Opened in the queue that is named as the case's first letters."""
    return event(minute, "contact.opened", case, **{"queue": case.split("-", maxsplit=1)[0], **fields})


def replied(minute: float, case: str) -> Event:
    return event(minute, "message.representative", case, representative_id="r", public=True)


SCENARIOS: list[Event] = [
    # reply: 10 min to the first public human message; the automated and the private one do not count
    opened(0, "reply-1"),
    event(1, "message.representative", "reply-1", representative_id="r", public=True, automated=True),
    event(2, "message.representative", "reply-1", representative_id="r", public=False),
    replied(10, "reply-1"),
    # twice: the same event again counts once; of two with one id the earlier counts
    opened(0, "twice-1"),
    opened(0, "twice-1"),
    event(5, "case.escalated", "twice-1", event_id="e"),
    event(7, "case.escalated", "twice-1", event_id="e"),
    # exempt: nothing of it counts
    opened(0, "exempt-1"),
    event(9, "case.flagged", "exempt-1", flags=["spam"]),
    # reopen: resolved, reopened by status, closed: 2 resolutions, 1 reopening, 1 closing
    opened(0, "reopen-1"),
    event(30, "case.resolved", "reopen-1"),
    event(35, "case.resolved", "reopen-1"),
    event(40, "case.status_changed", "reopen-1", status="pending_customer"),
    event(50, "case.status_changed", "reopen-1", status="open"),
    event(70, "case.closed", "reopen-1"),
    # source: the source reopens itself, so its status change to open is none; closed holds until case.reopened
    opened(0, "source-1"),
    event(30, "case.resolved", "source-1"),
    event(50, "case.status_changed", "source-1", status="open"),
    event(60, "case.closed", "source-1"),
    event(65, "case.status_changed", "source-1", status="open"),
    event(70, "case.reopened", "source-1"),
    # moved: transferred after 5 min, still open at midnight and for ever
    opened(0, "moved-1"),
    event(5, "contact.transferred", "moved-1", to_queue="target"),
    # queue: answered after 10 s, after 30 s; abandoned after 2 s, after 15 s, after 40 s; called back; never
    *[opened(1, f"queue-{n}", channel="phone") for n in range(7)],
    event(1 + 10 / 60, "contact.answered", "queue-0", representative_id="r"),
    event(1 + 30 / 60, "contact.answered", "queue-1", representative_id="r"),
    event(1 + 2 / 60, "contact.abandoned", "queue-2"),
    event(1 + 15 / 60, "contact.abandoned", "queue-3"),
    event(1 + 40 / 60, "contact.abandoned", "queue-4"),
    event(1 + 18 / 60, "contact.callback_requested", "queue-5"),
    event(3, "contact.ended", "queue-0", talk_s=60.5, after_contact_s=10),
    event(3, "contact.ended", "queue-1"),
    # again: c1 repeated by c2 (other case), c2 at once by c3 (same instant, greater id), c3 not: 8 days apart and another reason
    opened(0, "again-1", contact_id="c1", customer_id="u", reason="r"),
    opened(DAY, "again-2", contact_id="c2", customer_id="u", reason="r"),
    opened(DAY, "again-3", contact_id="c3", customer_id="u", reason="r"),
    opened(2 * DAY, "again-4", contact_id="c4", customer_id="u", reason="other"),
    opened(9 * DAY, "again-5", contact_id="c5", customer_id="u", reason="r"),
    # gone: abandoned, not eligible; its repeat is a reopening only
    opened(0, "gone-1", customer_id="v", reason="r"),
    event(1, "contact.abandoned", "gone-1"),
    event(DAY, "case.reopened", "gone-1"),
    # pause: due at 120; 60 paused from 30 to 80 and 10 after the customer wrote: due at 170; resolved at 160: met
    opened(0, "pause-1", priority="normal"),
    event(30, "case.status_changed", "pause-1", status="pending_customer"),
    event(80, "message.customer", "pause-1"),
    event(160, "case.resolved", "pause-1"),
    # retarget: due at 120, urgent at 90: overdue since 60, so due at 90
    opened(0, "retarget-1", priority="normal"),
    event(90, "case.priority_changed", "retarget-1", priority="urgent"),
    event(200, "case.resolved", "retarget-1"),
    # promised: due instant of the source
    opened(0, "promised-1", due={"resolution": MONDAY + 50 * MINUTE}),
    event(50, "case.resolved", "promised-1"),
    opened(0, "promised-2", due={"resolution": "2025-03-10T01:40:00+01:00"}),
    event(41, "case.resolved", "promised-2"),
    # recorded: a finished call, split
    {
        "type": "contact.recorded", "event_id": "call", "occurred_at": MONDAY + 9 * MINUTE, "contact_id": "recorded-1",
        "queue": "recorded", "channel": "phone", "opened_at": MONDAY, "answered_at": MONDAY + 6000,
        "ended_at": "2025-03-10T00:02:00Z", "resolved_at": MONDAY + 9 * MINUTE,
    },
    # negative: the reply before the opening counts as 0
    opened(10, "negative-1"),
    replied(4, "negative-1"),
    # survey: the last answer counts; 12 answers by e-mail, one by sms
    *[event(0, "survey.sent", f"s{n}", case_id="survey-1", survey_id=f"s{n}", kind="csat", route="email") for n in range(16)],
    *[event(n, "survey.responded", f"s{n}", case_id="survey-1", survey_id=f"s{n}", kind="csat", score=5 - n % 3, route="email") for n in range(1, 13)],
    event(100, "survey.responded", "s1b", case_id="survey-1", survey_id="s1", kind="csat", score=1, route="email"),
    {"type": "survey.responded", "event_id": "p", "occurred_at": MONDAY, "survey_id": "lone", "kind": "nps", "score": 9, "route": "sms"},
]  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        events.load_events(connection, SCENARIOS)
        truth.prepare(connection, BODY, WATERMARK)
        truth.build_facts(connection)
        truth.build_windows(connection, [SPAN])
        truth.build_truth(connection)
        yield connection


@pytest.fixture(scope="module")
def rows(database: duckdb.DuckDBPyConnection) -> dict[Key, Row]:
    return truth.rows(database)


Rows = dict[Key, Row]


def span(rows: Rows, kpi: str, queue: str, route: str = "") -> Row:
    group = (("queue", queue), ("route", route)) if route else (("queue", queue),)
    return rows.get(Key(kpi, "span", None, group), Row(None))


def share(row: Row) -> tuple[float | None, float | None]:
    return row.numerator, row.denominator


def test_first_reply_is_the_first_public_human_message(rows: Rows) -> None:
    assert span(rows, "first_reply_p50", "reply").value == 600


def test_a_duplicate_counts_once_and_the_earlier_of_two_with_one_id(rows: Rows) -> None:
    assert span(rows, "opened", "twice").value == 1
    assert span(rows, "escalated", "twice").value == 1
    assert share(span(rows, "escalation_rate", "twice")) == (1, 1)


def test_an_exempt_case_leaves_nothing(rows: Rows) -> None:
    assert not [key for key in rows if ("queue", "exempt") in key.group]


def test_a_second_resolution_needs_a_reopening(rows: Rows) -> None:
    assert span(rows, "resolved", "reopen").value == 2
    assert span(rows, "reopened", "reopen").value == 1
    assert span(rows, "closed", "reopen").value == 1
    assert share(span(rows, "reopen_rate", "reopen")) == (1, 1)
    assert span(rows, "first_resolution_p50", "reopen").value == 1800


def test_a_source_that_reopens_itself_is_taken_at_its_word(rows: Rows) -> None:
    assert span(rows, "reopened", "source").value == 1
    assert span(rows, "resolved", "source").value == 2  # the status change had opened it, so closing it resolved it
    assert span(rows, "backlog_open", "source").value == 1


def test_a_transfer_moves_the_balance_and_counts_where_it_came_from(rows: Rows) -> None:
    assert span(rows, "transfers", "moved").value == 1
    assert span(rows, "backlog_open", "moved").value is None
    assert rows[Key("backlog_open", "day", MONDAY, (("queue", "target"),))].value == 1
    assert rows[Key("backlog_age_older", "now", None, (("queue", "target"),))].value == 1


def test_service_level_leaves_out_abandonments_within_the_target(rows: Rows) -> None:
    # answered within: 1; reached 20 s: the second answer, the late abandonment and the one who waits for ever
    assert share(span(rows, "service_level", "queue")) == (1, 4)
    assert share(span(rows, "service_level_negative", "queue")) == (1, 5)
    assert share(span(rows, "service_level_positive", "queue")) == (3, 5)
    assert share(span(rows, "service_level_answered_only", "queue")) == (1, 2)
    assert share(span(rows, "abandonment_rate", "queue")) == (2, 4)
    assert span(rows, "speed_of_answer_mean", "queue").value == 20


def test_handle_time_is_its_parts_or_the_time_since_the_answer(rows: Rows) -> None:
    assert share(span(rows, "handle_time_mean", "queue")) == (70.5 + 90, 2)


def test_repeats_follow_customer_reason_and_window(rows: Rows) -> None:
    assert share(span(rows, "fcr", "again")) == (3, 5)
    assert share(span(rows, "fcr_final", "again")) == (3, 5)
    assert share(span(rows, "repeat_contact_rate", "again")) == (2, 5)


def test_an_abandoned_contact_is_not_eligible_and_a_reopening_is_a_repeat(rows: Rows) -> None:
    assert span(rows, "fcr", "gone").value is None
    assert share(span(rows, "fcr_gross", "gone")) == (0, 1)
    assert share(span(rows, "repeat_contact_rate", "gone")) == (0, 1)


def test_a_pause_moves_the_due_time_and_a_customer_ends_it(rows: Rows) -> None:
    assert span(rows, "sla_met_resolution", "pause").value == 1


def test_a_new_target_that_has_passed_is_due_at_the_change(rows: Rows, database: duckdb.DuckDBPyConnection) -> None:
    assert span(rows, "sla_breached_resolution", "retarget").value == 1
    found = database.execute("SELECT breached_at FROM clock WHERE case_id = 'retarget-1' AND metric = 'resolution'").fetchone()
    assert found == (MONDAY + 90 * MINUTE,)


def test_the_instant_promised_by_the_source_is_the_target(rows: Rows) -> None:
    assert share(span(rows, "sla_attainment_resolution", "promised")) == (1, 2)


def test_a_finished_record_counts_as_its_events(rows: Rows) -> None:
    assert span(rows, "offered", "recorded").value == 1
    assert span(rows, "speed_of_answer_p50", "recorded").value == 6
    assert span(rows, "handle_time_p50", "recorded").value == 114
    assert span(rows, "first_resolution_p50", "recorded").value == 540


def test_a_reply_before_the_opening_counts_as_zero(rows: Rows) -> None:
    assert span(rows, "first_reply_p50", "negative").value == 0
    assert span(rows, "clamped", "negative").value == 1


def test_the_last_answer_of_a_survey_counts(rows: Rows) -> None:
    found = span(rows, "csat", "unset", "email")
    assert (found.numerator, found.n) == (7, 12)
    assert share(span(rows, "response_rate_csat", "unset", "email")) == (12, 16)
    lone = span(rows, "nps", "unset", "sms")
    assert (lone.value, lone.numerator, lone.n) == (None, 1, 1)


def test_wilson_interval_of_seven_in_twelve(rows: Rows) -> None:
    found = span(rows, "csat", "unset", "email")
    assert found.low == pytest.approx(0.3195, abs=1e-4)
    assert found.high == pytest.approx(0.8067, abs=1e-4)


def test_every_kpi_of_the_catalogue_has_a_formula_of_the_oracle_and_no_other_has() -> None:
    hourly = {"hour"}
    assert {kpi.id: set(kpi.windows) - hourly for kpi in CATALOGUE} == {
        name: formula.windows - hourly for name, formula in FORMULAS.items()
    }


def published(rows: Rows) -> list[tuple[str, dict[str, object]]]:
    """The truth as a faultless pipeline would publish it."""
    return [
        (
            "kpis" if key.window == "now" else "kpi-windows",
            {
                "kpi": key.kpi, "window": key.window, "window_start": key.starts, "group": dict(key.group), "state": "final",
                "revision": 1, **{name: getattr(row, name) for name in Row._fields},
            },
        )
        for key, row in rows.items()
    ]  # fmt: skip


def differences(database: duckdb.DuckDBPyConnection, directory: Path, records: list[tuple[str, dict[str, object]]]) -> list[str]:
    path = directory / "published.jsonl"
    write_published(records, path)
    load_published(database, path)
    return [f"{found.what} {found.kpi}" for found in compare(database, live=False).differences]


def test_the_truth_itself_has_no_difference(database: duckdb.DuckDBPyConnection, rows: Rows, tmp_path: Path) -> None:
    assert differences(database, tmp_path, published(rows)) == []


def test_missing_extra_and_wrong_rows_are_differences(database: duckdb.DuckDBPyConnection, rows: Rows, tmp_path: Path) -> None:
    records = published(rows)
    whole = [record for _, record in records if record["window"] == "span" and not record["group"]]
    by_kpi = {record["kpi"]: record for record in whole}
    by_kpi["opened"]["value"] = 1
    by_kpi["first_reply_p50"]["value"] = float(str(by_kpi["first_reply_p50"]["value"])) * 1.02
    by_kpi["fcr"]["denominator"] = 99
    records = [(topic, record) for topic, record in records if record is not by_kpi["offered"]]
    records.append(("kpi-windows", {**by_kpi["opened"], "group": {"queue": "nowhere"}, "value": 3}))
    assert sorted(differences(database, tmp_path, records)) == [
        "denominator fcr", "extra opened", "missing offered", "value first_reply_p50", "value opened",
    ]  # fmt: skip


def stale_rows_of_opened(records: list[tuple[str, dict[str, object]]]) -> list[tuple[str, dict[str, object]]]:
    return [(topic, {**record, "value": 77, "revision": 0}) for topic, record in records if record["kpi"] == "opened"]


def test_the_greatest_revision_counts(database: duckdb.DuckDBPyConnection, rows: Rows, tmp_path: Path) -> None:
    records = published(rows)
    assert differences(database, tmp_path, stale_rows_of_opened(records) + records) == []


def test_a_stale_row_that_comes_last_is_a_difference(database: duckdb.DuckDBPyConnection, rows: Rows, tmp_path: Path) -> None:
    records = published(rows)
    assert set(differences(database, tmp_path, records + stale_rows_of_opened(records))) == {"not last opened"}

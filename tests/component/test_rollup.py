"""Rollup with its real codec: panes in, KPI rows out."""

from __future__ import annotations

import pytest

from models.panes.histogram import key
from models.panes.tiers import DAY, HOUR, MINUTE
from models.rollup.records import LevelRecord, StatusRecord
from models.rollup.settings import RollupSettings
from stream_app.wire import outputs
from tests.support.panes_topic import BILLING, SALES, PanesTopic, Stored

T0 = 1_700_006_400_000 // DAY * DAY
NOON = T0 + 12 * HOUR


@pytest.fixture
def topic() -> PanesTopic:
    return PanesTopic()


def test_counts_are_merged_over_partitions_processors_and_cells() -> None:
    topic = PanesTopic(RollupSettings(partitions=2))
    topic.fact(NOON, {"opened": 2}, BILLING, partition=0)
    topic.fact(NOON, {"opened": 3}, BILLING, partition=1)
    topic.fact(NOON, {"opened": 4}, SALES, partition=1)
    topic.status(NOON, NOON)
    topic.publish()
    assert topic.row("opened", "30m")["value"] == 9
    assert topic.row("opened", "30m", "queue=billing")["value"] == 5
    assert topic.row("opened", "30m", "queue=sales", "channel=email")["value"] == 4
    assert topic.row("opened", "30m", "priority=high")["value"] == 4


def test_older_record_of_a_pane_is_ignored(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    older = list(topic.records)
    topic.fact(NOON, {"opened": 1})
    topic.rollup.read_panes(older)
    topic.status(NOON, NOON)
    topic.publish()
    assert [topic.row("opened", window)["value"] for window in ("30m", "today")] == [2, 2]
    topic.rollup.read_panes(older)
    topic.publish()
    assert [topic.row("opened", window)["value"] for window in ("30m", "today")] == [2, 2]


def test_repeated_records_change_nothing(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON, NOON)
    topic.publish()
    topic.rollup.read_panes(topic.records)
    assert topic.publish() == {}


def test_nothing_is_published_before_everything_was_read(topic: PanesTopic) -> None:
    topic.rollup.assigned()
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON, NOON)
    assert topic.rollup.publish() == []
    assert (list(topic.rollup.current()), topic.rollup.active, topic.rollup.watermark()) == ([], False, None)
    topic.rollup.start_publishing()
    assert topic.rollup.publish() != []
    assert topic.rollup.watermark() == NOON


def test_revoked_rollup_reads_and_shows_nothing(topic: PanesTopic) -> None:
    topic.rollup.revoked()
    topic.fact(NOON, {"opened": 1})
    topic.rollup.read_published("kpis", [])
    topic.rollup.start_publishing()
    assert (topic.rollup.publish(), list(topic.rollup.current()), topic.rollup.active) == ([], [], False)


def test_nothing_is_published_before_the_first_status(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    assert topic.publish() == {}


def test_unheard_partition_holds_the_watermark(topic: PanesTopic) -> None:
    topic.status(NOON, NOON, processors=("cases",))
    topic.publish()
    assert topic.row("watermark", "now")["value"] is None
    topic.status(NOON - 5_000, NOON, processors=("customers",))
    topic.publish()
    assert topic.row("watermark", "now")["value"] == NOON - 5_000


def test_levels_move_the_clock_between_two_statuses_and_not_the_watermark(topic: PanesTopic) -> None:
    topic.status(NOON, NOON)
    topic.publish()
    topic.level(LevelRecord((0, 0), clock=NOON + 700))
    topic.publish()
    row = topic.row("watermark", "now")
    assert (row["value"], row["clock"]) == (NOON, NOON + 700)


def test_an_older_clock_does_not_turn_the_time_back(topic: PanesTopic) -> None:
    topic.status(NOON, NOON)
    topic.level(LevelRecord((0, 0), clock=NOON - 700))
    topic.level(LevelRecord((0, 0)))
    topic.publish()
    assert topic.row("watermark", "now")["clock"] == NOON


def test_partition_without_watermark_holds_it(topic: PanesTopic) -> None:
    topic.status(None, NOON)
    topic.publish()
    assert topic.row("watermark", "now")["value"] is None


def test_watermark_record_is_the_last_and_says_simulated(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON, NOON, simulated=True)
    rows = topic.publish()
    assert list(rows)[-1] == ("watermark", "now")
    assert topic.row("watermark", "now") | {"clock": NOON, "simulated": True} == topic.row("watermark", "now")


def test_only_changed_rows_are_published(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON, NOON)
    topic.publish()
    topic.fact(NOON, {"resolved": 1})
    assert {kpi for kpi, *_ in topic.publish()} == {"resolved", "net_flow", "escalation_rate_resolved"}


def test_live_window_moves_with_the_logs_clock(topic: PanesTopic) -> None:
    """Opened at noon; 5 m later it has left the window of 5 m, not that of 15 m."""
    topic.fact(NOON, {"opened": 1, key("first_reply", 60_000): 1})
    topic.status(NOON, NOON)
    topic.publish()
    topic.status(NOON, NOON + 5 * MINUTE)
    topic.publish()
    assert topic.row("opened", "5m")["value"] == 0
    assert topic.row("first_reply_p50", "5m")["value"] is None
    assert topic.row("opened", "15m")["value"] == 1
    topic.status(NOON, NOON + 2 * DAY)
    topic.publish()
    assert topic.row("opened", "today")["value"] == 0
    assert topic.row("opened", "7d")["value"] == 1


def test_fact_at_the_end_of_a_slice_belongs_to_the_next(topic: PanesTopic) -> None:
    """Clock 12:00:00 -> window ends 12:00:10; a fact at 12:00:10 is not in it yet."""
    topic.fact(NOON + 10_000, {"opened": 1})
    topic.status(NOON, NOON)
    topic.publish()
    with pytest.raises(KeyError):
        topic.row("opened", "5m")
    topic.status(NOON, NOON + 10_000)
    topic.publish()
    assert topic.row("opened", "5m")["value"] == 1


def test_percentile_of_a_window(topic: PanesTopic) -> None:
    for seconds in (10, 20, 30):
        topic.fact(NOON, {key("first_reply", seconds * 1000): 1})
    topic.status(NOON, NOON)
    topic.publish()
    row = topic.row("first_reply_p50", "30m")
    assert row["value"] == pytest.approx(20, rel=0.01)
    assert row | {"n": 3, "unit": "seconds", "window_end": NOON + 10_000, "state": "provisional"} == row


def test_hour_is_final_ten_minutes_after_its_end(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON + HOUR + 10 * MINUTE - 1, NOON + HOUR)
    topic.publish()
    assert not topic.published["kpi-windows"]
    topic.status(NOON + HOUR + 10 * MINUTE, NOON + HOUR)
    topic.publish()
    row = topic.row("opened", "hour", NOON)
    assert row | {"value": 1, "state": "final", "revision": 1, "window_start": NOON, "window_end": NOON + HOUR} == row
    assert "old_value" not in row


def test_late_fact_corrects_a_final_row_with_revision_and_old_value(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON + 2 * HOUR, NOON + 2 * HOUR)
    topic.publish()
    topic.fact(NOON + 5, {"opened": 1})
    rows = topic.publish()
    assert topic.row("opened", "hour", NOON) | {"value": 2, "revision": 2, "old_value": 1} == topic.row("opened", "hour", NOON)
    assert ("resolved", "hour", NOON) not in rows
    topic.fact(NOON + 5, {"opened": -2})
    topic.publish()
    row = topic.row("opened", "hour", NOON)
    assert row | {"value": 0, "revision": 3, "old_value": 2} == row


def test_ratio_that_loses_its_data_is_null(topic: PanesTopic) -> None:
    topic.fact(NOON, {"queue_abandoned": 1, "queue_answered": 1})
    topic.status(NOON + 2 * HOUR, NOON + 2 * HOUR)
    topic.publish()
    topic.fact(NOON, {"queue_abandoned": -1, "queue_answered": -1})
    topic.publish()
    row = topic.row("abandonment_rate", "hour", NOON)
    assert row | {"value": None, "revision": 2, "old_value": 0.5} == row


def test_first_fact_of_a_group_in_a_closed_hour_is_a_first_revision(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON + 2 * HOUR, NOON + 2 * HOUR)
    topic.publish()
    topic.fact(NOON, {"opened": 1}, SALES)
    topic.publish()
    assert topic.row("opened", "hour", "queue=sales", NOON)["revision"] == 1


def test_day_is_that_of_the_zone() -> None:
    """Kolkata's day begins at 18:30 UTC; its slow slices are 15 minutes wide."""
    topic = PanesTopic(RollupSettings(partitions=1, zone="Asia/Kolkata"))
    start = T0 + 18 * HOUR + 30 * MINUTE
    topic.fact(start - 1, {"opened": 1}, slow=15 * MINUTE)
    topic.fact(start, {"opened": 2}, slow=15 * MINUTE)
    topic.status(start + 2 * DAY, start + 2 * DAY)
    topic.publish_all()
    assert topic.row("opened", "day", start - DAY)["value"] == 1
    assert topic.row("opened", "day", start)["value"] == 2
    assert topic.row("opened", "hour", T0 + 18 * HOUR)["value"] == 3


def test_backlog_of_a_window_is_the_balance_at_its_end(topic: PanesTopic) -> None:
    """Opened 12:00, resolved the day after 13:00: open at the first midnight, resolved at the second."""
    topic.fact(NOON, {"opened": 1, "open_cases:open": 1})
    topic.fact(NOON + DAY + HOUR, {"resolved": 1, "open_cases:open": -1, "open_cases:resolved": 1})
    topic.status(NOON + 2 * DAY, NOON + 2 * DAY)
    topic.publish_all()
    assert topic.row("backlog_open", "day", T0)["value"] == 1
    assert topic.row("backlog_resolved", "day", T0 + DAY)["value"] == 1
    assert topic.row("backlog_unresolved", "hour", NOON)["value"] == 1
    assert ("backlog_open", "day", T0 + DAY) not in topic.rows()


def test_late_balance_corrects_every_later_window(topic: PanesTopic) -> None:
    for day in range(3):
        topic.fact(NOON + day * DAY, {"opened": 1, "open_cases:open": 1})
    topic.status(NOON + 4 * DAY, NOON + 4 * DAY)
    topic.publish_all()
    topic.fact(NOON + HOUR, {"opened": 1, "open_cases:open": 1})
    topic.publish_all()
    assert [topic.row("backlog_open", "day", T0 + day * DAY)["value"] for day in range(3)] == [2, 3, 4]
    assert [topic.row("backlog_unresolved", "hour", NOON + day * DAY)["value"] for day in range(3)] == [1, 3, 4]


def test_expired_slices_leave_rows_and_balance_as_they_were() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, horizon=2 * DAY, span=True))
    topic.fact(NOON, {"opened": 1, "open_cases:open": 1})
    topic.fact(NOON + 3 * DAY, {"opened": 1, "open_cases:open": 1})
    topic.status(NOON + 3 * DAY + HOUR, NOON + 3 * DAY)
    topic.publish_all()
    before = dict(topic.published["kpi-windows"])
    topic.expire(NOON)
    topic.publish_all()
    topic.level(LevelRecord((0, 0), base_through=NOON + DAY, base=[(BILLING, {"open_cases:open": 1})]))
    topic.publish_all()
    assert topic.published["kpi-windows"] == before
    topic.fact(NOON + 4 * DAY, {"opened": 1})
    topic.status(T0 + 5 * DAY + HOUR, T0 + 5 * DAY + HOUR)
    topic.publish_all()
    assert topic.row("backlog_open", "day", T0 + 4 * DAY)["value"] == 2
    assert topic.row("opened", "span", 0)["value"] == 3


def test_new_rollup_does_not_touch_rows_of_slices_that_are_gone() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, horizon=2 * DAY))
    topic.fact(T0 + HOUR, {"opened": 1})
    topic.fact(NOON, {"opened": 1})
    topic.fact(NOON + 2 * DAY, {"opened": 1})
    topic.status(NOON + 2 * DAY, NOON + 2 * DAY)
    topic.publish_all()
    topic.expire(T0 + HOUR)
    topic.started()
    assert [key for key in topic.publish_all() if key[1] in ("hour", "day")] == []


def test_new_rollup_publishes_only_what_has_changed_meanwhile() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, span=True))
    topic.fact(NOON, {"opened": 1, "csat_responses:chat": 12, "csat_top2:chat": 6, key("first_reply", 9): 1})
    topic.status(NOON + 2 * HOUR, NOON + 2 * HOUR, sources={"contacts-0": NOON})
    topic.publish_all()
    topic.fact(NOON, {"opened": 1})
    topic.publish_all()
    topic.started()
    assert set(topic.publish_all()) <= {("watermark", "now"), ("source_progress", "now", "source=contacts-0"), ("next_to_breach", "now")}
    topic.fact(NOON, {"opened": 1})
    topic.publish_all()
    assert topic.row("opened", "hour", NOON) | {"revision": 3, "old_value": 2, "value": 3} == topic.row("opened", "hour", NOON)
    assert topic.row("opened", "span", 0)["revision"] == 3


def test_new_rollup_takes_back_rows_whose_facts_went_while_none_was_running() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, span=True))
    topic.fact(NOON, {"offered": 1}, SALES)
    for at in (NOON, NOON + DAY):
        topic.fact(at, {"opened": 1, "offered": 1, "open_cases:open": 1})
    topic.status(NOON + 2 * DAY, NOON + 2 * DAY)
    topic.publish_all()
    gone = topic.row("offered", "hour", NOON), topic.row("offered", "day", T0)
    topic.rollup.revoked()
    topic.fact(NOON, {"opened": -1, "offered": -1, "open_cases:open": -1})
    topic.fact(NOON, {"offered": -1}, SALES)

    topic.started()
    topic.publish_all()

    assert [row["value"] for row in gone] == [2, 2]
    for row in (topic.row("offered", "hour", NOON), topic.row("offered", "day", T0), topic.row("backlog_unresolved", "hour", NOON)):
        assert row["value"] in {None, 0}
        assert row["revision"] == 2
    assert topic.row("offered", "span", "queue=sales", 0)["value"] in {None, 0}


def test_new_rollup_deletes_rows_that_the_settings_no_longer_have() -> None:
    topic = PanesTopic()
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON + 2 * HOUR, NOON, sources={"contacts-0": NOON})
    topic.publish_all()
    topic.published["kpis"][b'["no_such_kpi","30m",{}]'] = (
        b'{"kpi":"no_such_kpi","value":1,"unit":"cases","window":"30m","group":{},"watermark":null,"state":"provisional"}'
    )
    topic.published["kpis"][b'["opened","5m",{"odd":"x"}]'] = None
    topic.settings = RollupSettings(partitions=1, grouping_sets=((),), closing=("day",))
    topic.started()
    rows = topic.publish()
    assert rows["opened", "30m", "queue=billing"] is None
    assert rows["no_such_kpi", "30m"] is None
    assert ("opened", "30m") not in rows


def test_source_that_left_is_deleted(topic: PanesTopic) -> None:
    topic.status(NOON, NOON, sources={"contacts-0": NOON - 3_000, "contacts-1": None})
    topic.publish()
    assert topic.row("source_progress", "now", "source=contacts-0")["lag_seconds"] == 3
    assert topic.row("source_progress", "now", "source=contacts-1")["value"] is None
    topic.status(NOON, NOON, sources={"contacts-0": NOON})
    assert topic.publish()["source_progress", "now", "source=contacts-1"] is None


def test_source_is_as_far_as_its_slowest_partition() -> None:
    topic = PanesTopic(RollupSettings(partitions=2))
    topic.status(NOON, NOON, sources={"contacts-0": NOON})
    topic.records.clear()
    key, value = outputs.status_key("cases", 1), topic.fence()
    topic.send(key, outputs.status_value(StatusRecord(value, NOON, NOON, 2, {"contacts-0": NOON - 9_000})))
    topic.publish()
    assert topic.row("source_progress", "now", "source=contacts-0")["value"] == NOON - 9_000
    assert topic.rollup._rollup is not None
    assert topic.rollup._rollup.progress.counters() == {"applied": 3}


def test_older_status_and_level_are_ignored(topic: PanesTopic) -> None:
    topic.level(LevelRecord((0, 0), cells=[(BILLING, {"backlog:open": 3})]))
    topic.status(NOON, NOON)
    older = list(topic.records)
    topic.level(LevelRecord((0, 0), cells=[(BILLING, {"backlog:open": 4})]))
    topic.status(NOON + 1, NOON)
    topic.rollup.read_panes(older)
    topic.publish()
    assert topic.row("backlog_open", "now")["value"] == 4
    assert topic.row("watermark", "now")["value"] == NOON + 1


def test_levels_are_summed_and_instants_take_the_earliest() -> None:
    topic = PanesTopic()
    cells = [
        (BILLING, {"backlog:open": 2, "awaiting": 2, "oldest_awaiting_at": NOON - 60_000}),
        (SALES, {"backlog:open": 1, "awaiting": 1, "oldest_awaiting_at": NOON - 90_000}),
    ]
    topic.level(LevelRecord((0, 0), cells=cells, next=[{"case_id": "b", "due_at": 9}, {"case_id": "a", "due_at": 5}, {"case_id": "c"}]))
    topic.status(NOON, NOON)
    topic.publish()
    assert topic.row("backlog_open", "now")["value"] == 3
    row = topic.row("oldest_waiting", "now")
    assert row | {"value": 90, "since": NOON - 90_000} == row
    assert topic.row("oldest_waiting", "now", "queue=billing")["value"] == 60
    items = topic.row("next_to_breach", "now")["items"]
    assert isinstance(items, list)
    assert [item["case_id"] for item in items] == ["a", "b", "c"]
    topic.level(LevelRecord((0, 0), cells=cells[:1]))
    topic.publish()
    assert topic.row("backlog_open", "now", "queue=sales")["value"] == 0
    assert topic.row("oldest_waiting", "now", "queue=sales")["value"] is None


def test_level_of_nobody_is_zero_once_every_partition_was_heard_and_unknown_before() -> None:
    topic = PanesTopic(RollupSettings(partitions=2))
    topic.status(NOON, NOON)
    topic.level(LevelRecord((0, 0)))
    assert [key for key in topic.publish() if key[0] == "backlog_open"] == []
    topic.level(LevelRecord((0, 0), cells=[(BILLING, {"backlog:open": 2})]), partition=1)
    topic.publish()
    assert topic.row("sla_overdue_resolution", "now")["value"] == 0
    assert topic.row("backlog_age_older", "now", "queue=billing")["value"] == 0
    assert topic.row("backlog_open", "now", "queue=billing")["value"] == 2
    assert [key for key in topic.rows() if key[0] == "oldest_waiting"] == []
    assert topic.publish() == {}


def test_total_of_levels_is_zero_when_no_partition_has_any() -> None:
    topic = PanesTopic(RollupSettings(partitions=1))
    topic.status(NOON, NOON)
    topic.level(LevelRecord((0, 0)))
    rows = topic.publish()
    assert rows["awaiting_response", "now"] is not None
    assert {topic.row(kpi, "now")["value"] for kpi in ("awaiting_response", "backlog_unresolved", "sla_at_risk_first_reply")} == {0}


def test_oldest_waiting_grows_with_the_clock_alone(topic: PanesTopic) -> None:
    topic.level(LevelRecord((0, 0), cells=[(BILLING, {"oldest_awaiting_at": NOON})]))
    topic.status(NOON, NOON + 1_000)
    topic.publish()
    topic.status(NOON, NOON + 31_000)
    topic.publish()
    assert topic.row("oldest_waiting", "now")["value"] == 31


def test_budget_leaves_the_rest_for_the_next_publish_and_the_total_comes_first() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, live_budget=1, catching_up_budget=1))
    for queue in ("a", "b", "c"):
        topic.fact(NOON, {"opened": 1}, (queue, "phone", "normal", "t1"))
    topic.status(NOON, NOON)
    first = topic.publish()
    assert ("opened", "30m") in first
    assert sum(1 for key in first if len(key) > 2) < 8
    topic.publish_all()
    assert topic.row("opened", "28d", "queue=c")["value"] == 1


def test_how_far_the_clock_moved_is_told_from_one_publication_to_the_next(topic: PanesTopic) -> None:
    seen = []
    for clock in (NOON, NOON + MINUTE, NOON + MINUTE):
        topic.status(NOON, clock)
        topic.publish()
        seen.append(topic.rollup.moved)
    assert seen == [0, MINUTE, 0]


def test_what_a_still_clock_leaves_waiting_is_behind_until_all_of_it_is_out() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, live_budget=1, catching_up_budget=1))
    for queue in ("a", "b", "c"):
        topic.fact(NOON, {"opened": 1}, (queue, "phone", "normal", "t1"))
    topic.status(NOON, NOON)
    topic.publish()
    assert not topic.rollup.behind, "the clock has just moved"
    topic.publish()
    assert topic.rollup.behind
    topic.status(NOON, NOON + 1_000)
    topic.publish()
    assert not topic.rollup.behind, "it has moved again"
    topic.publish()
    while topic.rollup.behind:
        assert topic.publish() != {}
    assert topic.publish() == {}
    assert topic.row("opened", "28d", "queue=c")["value"] == 1


def test_while_facts_come_nothing_is_behind_so_that_the_budget_per_second_holds() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, live_budget=1, catching_up_budget=1))
    topic.status(NOON, NOON)
    for count in range(1, 4):
        topic.fact(NOON, {"opened": count}, ("a", "phone", "normal", "t1"))
        topic.publish()
        assert not topic.rollup.behind
    topic.publish()
    assert topic.rollup.behind


def test_final_rows_that_wait_are_behind_too() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, closing_budget=1, closing=("hour",)))
    for hour in range(4):
        topic.fact(NOON + hour * HOUR, {"opened": 1})
    topic.status(NOON + 3 * HOUR + 30 * MINUTE, NOON + 3 * HOUR)
    topic.publish()
    topic.publish()
    assert topic.rollup.behind
    topic.publish_all()
    topic.publish()
    assert not topic.rollup.behind


def test_of_one_that_owns_nothing_no_clock_has_moved_and_nothing_is_behind(topic: PanesTopic) -> None:
    topic.status(NOON, NOON)
    topic.publish()
    topic.status(NOON, NOON + HOUR)
    topic.publish()
    assert topic.rollup.moved == HOUR
    topic.rollup.revoked()
    assert (topic.rollup.moved, topic.rollup.behind) == (0, False)


def test_watermark_row_waits_for_the_final_rows_it_promises() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, closing_budget=1, closing=("hour",)))
    for hour in range(4):
        topic.fact(NOON + hour * HOUR, {"opened": 1})
    topic.status(NOON + 3 * HOUR + 30 * MINUTE, NOON + 3 * HOUR)
    topic.publish()
    held = topic.row("watermark", "now")["value"]
    assert isinstance(held, int)
    assert held < NOON + 3 * HOUR
    topic.publish_all()
    assert topic.row("watermark", "now")["value"] == NOON + 3 * HOUR + 30 * MINUTE


def test_once_the_watermark_is_past_everything_its_row_waits_for_all_others() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, closing_budget=1, live_budget=1, revision_budget=1, span=True))
    for hour in range(30):
        topic.fact(NOON + hour * HOUR, {"opened": 1, "open_cases:open": 1}, (f"q{hour}", "phone", "normal", "t1"))
    topic.status(NOON + 5 * DAY, NOON + 5 * DAY)
    while topic.publish():
        reached = topic.row("watermark", "now")["value"]
        if reached == NOON + 5 * DAY:
            break
    assert set(topic.publish_all()) == set()
    assert topic.row("opened", "hour", NOON + 29 * HOUR)["value"] == 1
    row = topic.row("opened", "span", 0)
    assert row | {"value": 30, "window_start": NOON, "window_end": NOON + 30 * HOUR, "state": "provisional"} == row
    assert topic.row("backlog_open", "span", 0)["value"] == 30


def test_span_loses_what_was_taken_back() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, span=True))
    topic.fact(NOON, {"queue_answered": 1, "queue_abandoned": 1})
    topic.status(NOON + DAY, NOON)
    topic.publish()
    topic.fact(NOON, {"queue_answered": -1, "queue_abandoned": -1})
    topic.publish()
    row = topic.row("abandonment_rate", "span", 0)
    assert row | {"value": None, "old_value": 0.5, "revision": 2} == row


def test_fast_slices_out_of_reach_are_not_kept(topic: PanesTopic) -> None:
    topic.status(NOON, NOON)
    topic.publish()
    topic.fact(NOON - 3 * HOUR, {"opened": 1})
    topic.fact(NOON - 5 * MINUTE, {"opened": 1})
    topic.publish()
    assert topic.row("opened", "60m")["value"] == 1
    assert topic.row("opened", "today")["value"] == 2


def test_what_is_out_of_reach_is_forgotten() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, horizon=2 * DAY))
    for day in range(10):
        topic.fact(NOON + day * DAY, {"opened": 1})
        topic.status(NOON + day * DAY, NOON + day * DAY)
        topic.publish_all()
        if day >= 3:
            topic.expire(NOON + (day - 3) * DAY)
        for _ in range(70):
            topic.publish()
    rollup = topic.rollup._rollup
    assert rollup is not None
    assert len(rollup._newest["slow"]) <= 5
    assert len(rollup._newest["fast"]) <= 1


def test_unreadable_records_are_counted_and_cost_nothing_else(topic: PanesTopic) -> None:
    good = outputs.pane_key("cases", 0, "slow", NOON, BILLING)
    bad = [
        (b"{", b"{}"),
        (b'["x","cases",0]', b"{}"),
        (good, b'{"fence":[0,1],"facts":{"opened":"many"}}'),
        (good, b"\xff"),
        (None, b"{}"),
        (good, None),
    ]
    topic.rollup.read_panes([Stored(key, value) for key, value in bad])
    topic.rollup.read_published("kpis", [Stored(b"[", b"{}"), Stored(None, None), Stored(b'["opened","30m",{}]', None)])
    assert topic.rollup.unreadable == 5
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON, NOON)
    topic.publish()
    assert topic.row("opened", "today")["value"] == 1


def test_current_values_are_those_published(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1, "csat_responses:chat": 12, "csat_top2:chat": 6})
    topic.status(NOON, NOON)
    topic.publish()
    found = {(kpi.id, window, *sorted(group.items())): value.value for kpi, window, group, value in topic.rollup.current()}
    assert found["opened", "30m"] == 1
    assert found["csat", "7d", ("queue", "billing"), ("route", "chat")] == 0.5


def test_change_that_is_taken_back_at_once_is_no_change(topic: PanesTopic) -> None:
    topic.fact(NOON, {"opened": 1})
    topic.fact(NOON, {"opened": -1})
    topic.status(NOON, NOON)
    topic.publish_all()
    assert not [key for key in topic.rows() if key[0] == "opened"]


def test_cohort_facts_correct_days_and_leave_hours_alone(topic: PanesTopic) -> None:
    """A reopening is dated at the opening, days ago: no KPI of an hour reads it."""
    topic.fact(NOON, {"opened": 1, "cohort_resolved": 2})
    topic.status(NOON + 2 * DAY, NOON + 2 * DAY)
    topic.publish_all()
    topic.fact(NOON, {"cohort_reopened": 1})
    changed = {key for key in topic.publish_all() if key[1] in ("hour", "day")}
    assert {key[0] for key in changed} == {"reopen_rate"}
    assert topic.row("reopen_rate", "day", T0)["revision"] == 2


def test_window_whose_slices_may_be_gone_is_corrected_no_more() -> None:
    """A fact comes for a closed hour; before it can be published the watermark has left the hour behind the horizon."""
    topic = PanesTopic(RollupSettings(partitions=1, horizon=DAY, closing=("hour",)))
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON + 2 * HOUR, NOON + 2 * HOUR)
    topic.publish_all()
    topic.fact(NOON, {"opened": 1})
    topic.status(NOON + DAY + HOUR, NOON + DAY + HOUR)
    topic.publish_all()
    assert topic.row("opened", "hour", NOON)["value"] == 1


def test_days_without_deleted_slices_are_forgotten_too() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, horizon=2 * DAY))
    topic.fact(NOON, {"opened": 1})
    topic.fact(NOON + 9 * DAY, {"opened": 1})
    topic.status(NOON + 9 * DAY, NOON + 9 * DAY)
    topic.publish()
    rollup = topic.rollup._rollup
    assert rollup is not None
    assert {tuple(facts.days) for facts in rollup._facts.groups.values()} == {(T0 + 9 * DAY,)}


def test_a_backlog_forgets_deleted_slices_as_it_goes() -> None:
    """Its publications are seconds of the machine and days of the log apart."""
    topic = PanesTopic(RollupSettings(partitions=1, horizon=2 * DAY))
    rollup = topic.rollup._rollup
    assert rollup is not None
    for day in range(6):
        at = NOON + day * DAY
        topic.fact(at, {"opened": 1})
        if day >= 3:
            topic.expire(at - 3 * DAY)
        topic.status(at, at)
        topic.publish()
    assert len(rollup._newest["slow"]) == 3


def test_base_that_stays_changes_nothing_and_later_slices_wait_for_theirs() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, span=True))
    topic.fact(NOON, {"open_cases:open": 1, "opened": 1})
    topic.fact(NOON + DAY, {"open_cases:open": 2, "opened": 2})
    topic.status(NOON + 2 * DAY, NOON + 2 * DAY)
    topic.expire(NOON)
    topic.expire(NOON + DAY)
    base = [(BILLING, {"open_cases:open": 1})]
    for _ in range(2):
        topic.level(LevelRecord((0, 0), base_through=NOON + DAY, base=base))
        topic.fact(NOON + DAY + HOUR, {"opened": 1})
        topic.publish_all()
        assert topic.row("backlog_open", "span", 0)["value"] == 3


def test_levels_of_one_cell_leave_the_instants_of_another() -> None:
    topic = PanesTopic()
    first = (BILLING, {"oldest_awaiting_at": NOON - 1_000, "oldest_open_at": NOON - 5_000})
    second = (("billing", "email", "low", "t2"), {"oldest_awaiting_at": NOON - 500})
    topic.level(LevelRecord((0, 0), cells=[first, second]))
    topic.status(NOON, NOON)
    topic.publish()
    assert topic.row("oldest_waiting", "now", "queue=billing")["value"] == 1
    assert topic.row("oldest_open", "now", "queue=billing")["value"] == 5


def test_span_without_any_fact_has_no_row() -> None:
    topic = PanesTopic(RollupSettings(partitions=1, span=True))
    topic.status(NOON, NOON)
    assert not [key for key in topic.publish_all() if key[1] == "span"]

"""Rollup's rows are a function of what was said, not of how it came in."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from models.panes.pane import merge
from models.panes.tiers import DAY, HOUR
from models.rollup.records import Cell
from models.rollup.settings import RollupSettings
from tests.support.panes_topic import BILLING, SALES, PanesTopic

T0 = 1_700_006_400_000 // DAY * DAY
END = T0 + 4 * DAY
FACTS = st.sampled_from(
    [
        {"opened": 1, "open_cases:open": 1},
        {"resolved": 1, "open_cases:open": -1, "open_cases:resolved": 1},
        {"queue_answered": 1, "queue_answered_within": 1, "speed_of_answer:800": 1, "speed_of_answer_ms": 600_000},
        {"first_reply:z": 1},
        {"first_reply:900": 1},
        {"fcr_eligible": 1, "fcr_resolved": 1, "fcr_gross": 1, "fcr_gross_resolved": 1},
        {"cohort_reopened": 1, "cohort_resolved": 1},
        {"csat_responses:chat": 5, "csat_top2:chat": 4},
    ]
)
CELLS = st.sampled_from([BILLING, SALES])
SAID = st.lists(
    st.tuples(st.integers(0, 3 * 24 * 6 - 1).map(lambda n: T0 + n * HOUR // 6), FACTS, CELLS, st.integers(0, 1)), min_size=1, max_size=25
)
Said = list[tuple[int, dict[str, int], Cell, int]]


def new_topic() -> PanesTopic:
    return PanesTopic(RollupSettings(partitions=2, span=True, live_budget=3, closing_budget=4, revision_budget=2))


def outcome(topic: PanesTopic) -> dict[tuple[object, ...], object]:
    """All rows that have a value once everything was said; a count of zero is as good as no row."""
    topic.status(END, END)
    topic.publish_all()
    return {key: value for key, value in topic.rows().items() if value not in (None, 0)}


def at_once(said: Said) -> dict[tuple[object, ...], object]:
    topic = new_topic()
    for at, facts, cell, partition in said:
        topic.fact(at, facts, cell, partition=partition)
    return outcome(topic)


@settings(max_examples=25, deadline=None)
@given(SAID, st.randoms(use_true_random=False), st.integers(0, 24))
def test_order_pace_late_facts_and_a_restart_do_not_matter(said: Said, random: object, restart: int) -> None:
    """The watermark runs ahead, so that most facts are late and correct rows that were final."""
    shuffled = list(said)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    topic = new_topic()
    for index, (at, facts, cell, partition) in enumerate(shuffled):
        topic.fact(at, facts, cell, partition=partition)
        topic.status(T0 + index * 3 * HOUR, T0 + index * 3 * HOUR)
        topic.publish()
        if index == restart:
            topic.started()
    assert outcome(topic) == at_once(said)


@settings(max_examples=25, deadline=None)
@given(SAID)
def test_days_are_the_sums_of_their_facts(said: Said) -> None:
    rows = at_once(said)
    for day in range(3):
        start = T0 + day * DAY
        expected: dict[str, int] = {}
        for at, facts, _, _ in said:
            if start <= at < start + DAY:
                merge(expected, facts)
        assert rows.get(("opened", "day", start), 0) == expected.get("opened", 0)
        assert rows.get(("fcr", "day", start)) == (1.0 if expected.get("fcr_eligible") else None)


@settings(max_examples=25, deadline=None)
@given(SAID)
def test_backlog_at_the_end_of_a_day_is_all_that_came_before(said: Said) -> None:
    rows = at_once(said)
    last = max(at for at, *_ in said)
    for day in range((last - T0) // DAY + 1):
        end = T0 + (day + 1) * DAY
        expected = sum(facts.get("open_cases:open", 0) for at, facts, _, _ in said if at < end)
        if min(at for at, *_ in said) < end:
            assert rows.get(("backlog_open", "day", end - DAY), 0) == expected

"""Every query of every dashboard, asked of a real Prometheus that scrapes a real worker under simulated traffic, has an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_app.brokers.kafka import KafkaBroker
from tests.dashboards.asking import FILES, Asked, RefusedQueryError, ask, call, choices, defaults_of, questions, read_dashboard
from tests.dashboards.scene import Scene, scene
from tests.support.waiting import eventually

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

ANSWER_SECONDS = 45.0
every_dashboard = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def live(kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(kafka.bootstrap, "dashboards", tmp_path_factory.mktemp("dashboards")) as running:
        yield running


def wait_for_answers(live: Scene, asked: list[Asked]) -> None:
    """Until each has had one. Fails with those that have none."""
    waiting = list(asked)

    def all_answered() -> bool:
        live.children.check()
        waiting[:] = [question for question in waiting if not answered(live, question)]
        return not waiting

    try:
        eventually(all_answered, within_seconds=ANSWER_SECONDS)
    except AssertionError:
        raise AssertionError("no data:\n" + "\n".join(map(str, waiting))) from None


def answered(live: Scene, question: Asked) -> bool:
    return any(not math.isnan(series.value) for series in ask(live.prometheus, question))


@every_dashboard
def test_every_query_of_a_dashboard_has_data(live: Scene, file: Path) -> None:
    dashboard = read_dashboard(file)
    asked = list(questions(dashboard, defaults_of(dashboard)))
    assert asked
    wait_for_answers(live, asked)


@every_dashboard
def test_every_variable_offers_its_default(live: Scene, file: Path) -> None:
    dashboard = read_dashboard(file)
    chosen = defaults_of(dashboard)
    for variable in dashboard["templating"]["list"][1:]:
        offered = choices(live.prometheus, variable, chosen)
        assert variable["includeAll"] or chosen[variable["name"]] in offered, variable["name"]
    assert choices(live.prometheus, dashboard["templating"]["list"][1], chosen) == ["deskpulse"]


def test_every_grouping_shows_every_group_and_a_group_only_itself(live: Scene) -> None:
    dashboard = read_dashboard(next(file for file in FILES if file.stem == "overview"))
    grouping, group = (variable for variable in dashboard["templating"]["list"] if variable["name"] in {"grouping", "group"})
    chosen = defaults_of(dashboard)
    assert choices(live.prometheus, grouping, chosen) == ["all", "channel", "priority", "queue", "queue_channel"]
    assert choices(live.prometheus, group, chosen) == []
    for name in choices(live.prometheus, grouping, chosen):
        wait_for_answers(live, [question for question in questions(dashboard, {**chosen, "grouping": name}) if "offered" in question.expression])
    of_queues = {**chosen, "grouping": "queue"}
    queues = choices(live.prometheus, group, of_queues)
    assert {"billing", "technical"} <= set(queues)
    offered = next(question for question in questions(dashboard, of_queues) if "offered" in question.expression)
    assert {series.labels["queue"] for series in ask(live.prometheus, offered)} == set(queues)
    billing = next(question for question in questions(dashboard, {**of_queues, "group": "billing"}) if "offered" in question.expression)
    assert [series.labels for series in ask(live.prometheus, billing)] == [{"queue": "billing"}]


def test_every_window_that_can_be_chosen_has_data(live: Scene) -> None:
    for file in FILES:
        dashboard = read_dashboard(file)
        chosen = defaults_of(dashboard)
        windows = [variable for variable in dashboard["templating"]["list"] if variable["name"].endswith("window")]
        for variable in windows:
            for window in choices(live.prometheus, variable, chosen):
                used = [question for question in questions(dashboard, {**chosen, variable["name"]: window}) if f'window="{window}"' in question.expression]
                assert any(answered(live, question) for question in used), (file.stem, window)


def test_what_is_refused_or_too_late_is_seen_at_the_top(live: Scene) -> None:
    dashboard = read_dashboard(FILES[0])
    late = next(question for question in questions(dashboard, defaults_of(dashboard)) if question.panel["title"].startswith("Late or refused"))

    def counted() -> bool:
        return {series.labels["outcome"] for series in ask(live.prometheus, late) if series.value > 0} == {"dead_lettered", "too_late"}

    eventually(counted, within_seconds=ANSWER_SECONDS, what="a dead letter and a late event")


def test_a_query_that_is_no_promql_is_an_error_and_not_an_empty_answer(live: Scene) -> None:
    with pytest.raises(RefusedQueryError, match="parse error"):
        call(live.prometheus, "/api/v1/query", {"query": "max by ("})

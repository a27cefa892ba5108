"""What Rollup makes of rows that another one has written over its own, or over those that it finds."""

from __future__ import annotations

import pytest

from models.panes.tiers import DAY, HOUR, MINUTE
from models.rollup.settings import RollupSettings
from tests.support.owners import Owner, PublishedTopics
from tests.support.panes_topic import PanesTopic, RowKey

T0 = 1_700_006_400_000 // DAY * DAY
NOON = T0 + 12 * HOUR


@pytest.fixture
def panes() -> PanesTopic:
    return PanesTopic(RollupSettings(partitions=1, span=True))


@pytest.fixture
def topics() -> PublishedTopics:
    return PublishedTopics()


def owner_of(panes: PanesTopic, topics: PublishedTopics) -> Owner:
    return Owner(panes.settings, panes.records, topics)


def send_all(owner: Owner) -> None:
    owner.read()
    while owner.publish():
        owner.send()


def opened(panes: PanesTopic, owner: Owner, cases: int, watermark: int) -> None:
    """So many more cases opened at noon; all rows are published."""
    panes.fact(NOON, {"opened": cases})
    panes.status(watermark, watermark)
    send_all(owner)


def sleeper_of(panes: PanesTopic, topics: PublishedTopics) -> Owner:
    """One case opened at noon is published; that there are two, in revision 2, it still holds."""
    sleeper = owner_of(panes, topics)
    opened(panes, sleeper, 1, T0 + 3 * DAY)
    panes.fact(NOON, {"opened": 1})
    sleeper.read()
    sleeper.publish()
    return sleeper


def revisions(topics: PublishedTopics, row: RowKey) -> tuple[int, int, int]:
    """Value and revision of the last record, and revision of the greatest one."""
    last, greatest = topics.last()[row], topics.greatest()[row]
    assert last["value"] == greatest["value"]
    return last["value"], last["revision"], greatest["revision"]


@pytest.mark.parametrize("row", [("opened", "day", T0), ("opened", "span", 0)])
@pytest.mark.parametrize("afresh", [True, False])
def test_the_next_revision_is_greater_than_all_there_are(panes: PanesTopic, topics: PublishedTopics, row: RowKey, *, afresh: bool) -> None:
    """The sleeper holds revision 2 while its successor goes on to 4; whoever comes after its late record makes it 5, with the right value."""
    sleeper = sleeper_of(panes, topics)
    owner = owner_of(panes, topics)
    for cases in (1, 1, 1):
        opened(panes, owner, cases, T0 + 3 * DAY)
    assert revisions(topics, row) == (5, 4, 4)
    sleeper.send()
    assert (topics.last()[row]["value"], topics.last()[row]["revision"]) == (2, 2)
    if afresh:
        owner = owner_of(panes, topics)
    owner.look()
    send_all(owner)
    assert revisions(topics, row) == (5, 5, 5)
    assert topics.last()[row]["old_value"] == 5


def test_a_late_row_that_says_what_the_owner_says_changes_nothing(panes: PanesTopic, topics: PublishedTopics) -> None:
    sleeper = sleeper_of(panes, topics)
    owner = owner_of(panes, topics)
    send_all(owner)
    sleeper.send()
    owner.look()
    send_all(owner)
    assert revisions(topics, ("opened", "day", T0)) == (2, 2, 2)


def test_a_row_of_a_window_whose_facts_have_expired_stands(panes: PanesTopic, topics: PublishedTopics) -> None:
    sleeper = sleeper_of(panes, topics)
    owner = owner_of(panes, topics)
    opened(panes, owner, 1, T0 + 60 * DAY)
    sleeper.send()
    owner.look()
    send_all(owner)
    assert topics.last()["opened", "day", T0]["revision"] == 2


def test_watermark_and_progress_are_published_again(panes: PanesTopic, topics: PublishedTopics) -> None:
    sleeper = owner_of(panes, topics)
    panes.status(NOON, NOON, sources={"contacts-0": NOON, "surveys-0": NOON})
    sleeper.read()
    sleeper.publish()
    owner = owner_of(panes, topics)
    panes.status(NOON + MINUTE, NOON + MINUTE, sources={"contacts-0": NOON + MINUTE})
    send_all(owner)
    sleeper.send()
    owner.look()
    send_all(owner)
    last = topics.last()
    assert last["watermark", "now"]["value"] == NOON + MINUTE
    assert last["source_progress", "now", "source=contacts-0"]["value"] == NOON + MINUTE
    assert last["source_progress", "now", "source=surveys-0"] is None
    assert last["next_to_breach", "now"]["value"] == 0
    records = len(topics.logs["kpis"])
    send_all(owner_of(panes, topics))
    assert b'["source_progress","now",{"source":"surveys-0"}]' not in [record.key for _, record in topics.logs["kpis"][records:]]


def test_a_row_that_was_deleted_comes_back_when_its_window_is_wanted_again(panes: PanesTopic, topics: PublishedTopics) -> None:
    opened(panes, owner_of(panes, topics), 2, NOON)
    assert topics.last()["opened", "today"]["value"] == 2
    send_all(Owner(RollupSettings(partitions=1, live=("30m",)), panes.records, topics))
    assert topics.last()["opened", "today"] is None
    send_all(owner_of(panes, topics))
    assert topics.last()["opened", "today"]["value"] == 2

"""One topic, several owners: whatever one that was thought dead still writes, every row says the truth in the end, to every kind of reader."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from models.panes.tiers import HOUR
from tests.property.test_rollup_order import END, SAID, T0, Said, at_once, new_topic
from tests.support.owners import Owner, PublishedTopics
from tests.support.panes_topic import PanesTopic

CHANCES = st.randoms(use_true_random=False)


class Play:
    """One owner of the day, and those that it has taken over from, which wake up now and then."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.panes: PanesTopic = new_topic()
        self.topics = PublishedTopics()
        self.owner = self.successor()
        self.sleepers: list[Owner] = []

    def successor(self) -> Owner:
        return Owner(self.panes.settings, self.panes.records, self.topics)

    def step(self) -> None:
        match self.chance.choice(["publish", "publish", "look", "take over", "wake", "die"]):
            case "publish":
                self.owner.read()
                self.owner.publish()
                self.owner.send()
            case "look":
                self.owner.look()
            case "take over":
                self.owner.publish()
                self.sleepers.append(self.owner)
                self.owner = self.successor()
            case "wake" if self.sleepers:
                self.wake(self.chance.choice(self.sleepers))
            case "die":
                self.sleepers.clear()
                self.owner = self.successor()

    def wake(self, sleeper: Owner) -> None:
        """It sends what it held, and may read and publish on before it learns that it has lost the topic."""
        sleeper.send()
        for _ in range(self.chance.randint(0, 2)):
            sleeper.read(self.chance.randint(0, 10))
            if self.chance.random() < 0.5:
                sleeper.look()
            sleeper.publish()
            sleeper.send()

    def end(self, *, afresh: bool) -> None:
        self.panes.status(END, END)
        for sleeper in self.sleepers:
            self.wake(sleeper)
        if afresh:
            self.owner = self.successor()
        self.owner.look()
        self.owner.read()
        while self.owner.publish():
            self.owner.send()
        self.owner.send()


@settings(max_examples=120, deadline=None)
@given(SAID, CHANCES, st.booleans())
def test_whoever_writes_when_every_row_is_right_in_the_end(said: Said, chance: random.Random, afresh: bool) -> None:
    play = Play(chance)
    for index, (at, facts, cell, partition) in enumerate(said):
        play.panes.fact(at, facts, cell, partition=partition)
        play.panes.status(T0 + index * 3 * HOUR, T0 + index * 3 * HOUR)
        play.step()
    play.end(afresh=afresh)
    expected = at_once(said)
    for seen in (play.topics.last(), play.topics.greatest()):
        assert {key: row["value"] for key, row in seen.items() if row and row["value"] not in (None, 0)} == expected

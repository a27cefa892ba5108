"""The whole simulation as an iterator of events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from stream_app.feeds.feed import FeedEvent, FeedOutline, outline_of
from stream_app.feeds.simulator.agenda import Agenda, Process
from stream_app.feeds.simulator.casework import Casework
from stream_app.feeds.simulator.chance import Chance
from stream_app.feeds.simulator.contacts import WRITING, ContactDesk, mean_handling
from stream_app.feeds.simulator.floor import Desk, Planner
from stream_app.feeds.simulator.journal import Case, Journal
from stream_app.feeds.simulator.profile import (
    DAY,
    EVENTS_PER_CONTACT,
    HOUR,
    MEAN_PATIENCE,
    MINUTE,
    PRIORITIES,
    QUEUED_CHANNELS,
    QUEUES,
    SECOND,
    STEADY,
    TIERS,
    Rhythm,
)
from stream_app.feeds.simulator.surveys import SurveyOffice

DEFAULT_START = int(datetime(2025, 3, 3, tzinfo=UTC).timestamp()) * SECOND
"""A Monday at midnight, in the past wherever this runs."""
DEFAULT_DAYS = 10.0
SMALL = 100
"""New contacts per hour up to which nobody is specialised."""
LIVE_VISITS = 1.45
"""Calls and chats, transfers and returns included, per new contact that comes that way."""
REPLIES = 1.3
"""Written answers per new contact."""
PROGRESS_EVERY = 30 * MINUTE
MARGIN_MS = 8 * DAY
"""Time declared after the last event: a week in which a contact can still be repeated, and a day."""


class Simulator:
    """Seeded traffic: the same arguments give the same events, byte for byte.

    ``rate`` is the mean number of events per second of event time. ``haste`` divides delays of hours
    and days between the events of a case (not waiting and talking), so that short runs see whole cases.
    """

    def __init__(
        self, seed: int, *, rate: float, start: int = DEFAULT_START, rhythm: Rhythm | None = None, haste: float = 1.0,
        tag: str | None = None,
    ) -> None:  # fmt: skip
        self.chance = Chance(seed)
        self.rhythm = rhythm or Rhythm()
        self.agenda = Agenda(start)
        self.journal = Journal(self.agenda, tag or f"sim{seed}")
        self.contacts_per_hour = rate * 3600 / EVENTS_PER_CONTACT
        self.customers = max(50, int(self.contacts_per_hour * 24 * 20))
        desk = self._desk(haste)
        surveys = SurveyOffice(self.agenda, self.journal, self.chance, haste)
        self.casework = Casework(self.agenda, self.journal, desk, surveys, self.chance, haste)
        self.agenda.start(self._arrivals())
        self.agenda.start(self._progress(), PROGRESS_EVERY)
        self.agenda.start(surveys.periodic(40 * HOUR / self.contacts_per_hour))

    def _desk(self, haste: float) -> ContactDesk:
        """Representatives for calls and chats, and others who write; a small organisation has one desk for all queues."""
        planner = Planner(self.agenda, self.rhythm, self.chance)
        live: dict[str, Desk] = {}
        writers: dict[str, Desk] = {}
        together = self.contacts_per_hour < SMALL
        for group in [QUEUES] if together else [(queue,) for queue in QUEUES]:
            name = "desk" if together else group[0].name
            front, back = Desk(self.agenda, name), Desk(self.agenda, f"{name}-mail")
            live.update((queue.name, front) for queue in group)
            writers.update((queue.name, back) for queue in group)
            visits = {queue: LIVE_VISITS * queue.share * queue.channels.share(*QUEUED_CHANNELS) for queue in group}
            handling = sum(share * mean_handling(queue.talk_ms) for queue, share in visits.items()) / sum(visits.values())
            patience = MEAN_PATIENCE["phone"] + 3 * SECOND
            self.agenda.start(planner.live(front, self.contacts_per_hour * sum(visits.values()), handling, patience))
            written = self.contacts_per_hour * REPLIES * sum(queue.share for queue in group)
            self.agenda.start(planner.unhurried(back, written, WRITING))
        return ContactDesk(self.agenda, self.journal, live, writers, self.chance, haste)

    def events(self) -> Iterator[FeedEvent]:
        """Events without end, in rising ``occurred_at``; can be iterated once."""
        pending = self.journal.pending
        while self.agenda.step():
            while pending:
                yield pending.popleft()

    def _arrivals(self) -> Process:
        """Customers who come for the first time with something: a Poisson process, thinned to the rhythm."""
        peak = self.rhythm.peak()
        gap = HOUR / (self.contacts_per_hour * peak)
        while True:
            yield self.chance.about(gap)
            if self.chance.random() * peak < self.rhythm.intensity(self.agenda.now):
                self.agenda.start(self.casework.story(self._new_case()))

    def _new_case(self) -> Case:
        chance = self.chance
        queue = chance.choices(QUEUES, [queue.share for queue in QUEUES])[0]
        customer_id = f"{self.journal.tag}-u{chance.randrange(self.customers)}"
        return Case(
            case_id=self.journal.name("c"),
            customer_id="" if chance.happens(0.03) else customer_id,
            queue=queue.name,
            channel=queue.channels.pick(chance),
            reason="" if chance.happens(0.04) else chance.choice(queue.reasons),
            priority="" if chance.happens(0.01) else PRIORITIES.pick(chance),
            team=queue.team,
            tier="" if chance.happens(0.3) else TIERS.pick(chance),
        )

    def _progress(self) -> Process:
        while True:
            self.journal.declare_progress()
            yield PROGRESS_EVERY


class SimulatedFeed:
    """A fixed number of simulated events over a stretch of event time, as a feed."""

    simulated = True
    zone = "UTC"

    def __init__(self, seed: int, count: int, *, days: float = DEFAULT_DAYS, start: int = DEFAULT_START) -> None:
        self.name = f"simulated-{seed}"
        self.seed = seed
        self.count = count
        self.days = days
        self.start = start

    def events(self) -> Iterator[FeedEvent]:
        """Exactly ``count`` events in rising ``occurred_at``, over about ``days`` days."""
        rate = self.count / (self.days * DAY / SECOND)
        return islice(Simulator(self.seed, rate=rate, start=self.start).events(), self.count)

    def outline(self) -> FeedOutline:
        """Count and span; runs the simulation."""
        return outline_of(self.events(), MARGIN_MS)


def live_simulator(seed: int, rate: float, start: int, *, haste: float = 60.0) -> Simulator:
    """Steady traffic from ``start`` on, with ids of its own for every start."""
    return Simulator(seed, rate=rate, start=start, rhythm=STEADY, haste=haste, tag=_short(start))


def _short(number: int) -> str:
    """A number in few characters."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"

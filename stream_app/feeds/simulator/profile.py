"""The imagined support organisation: its queues, how much traffic when, and what people do.

Shares and durations are plausible inventions, not measurements of anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stream_app.feeds.simulator.chance import Chance

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EVENTS_PER_CONTACT = 10.3
"""Mean number of events that one newly arriving contact leads to, counted over long runs; scales arrivals."""
QUEUED_CHANNELS = ("phone", "chat")
MEAN_PATIENCE = {"phone": 220 * SECOND, "chat": 300 * SECOND}
LONGEST_PATIENCE = 20 * MINUTE
LONGEST_TALK = 30 * MINUTE
"""Both are cut off, which bounds how far back a finished record of a call reaches."""


@dataclass(frozen=True)
class Choice:
    """Values with their weights."""

    values: tuple[str, ...]
    weights: tuple[float, ...]

    def share(self, *values: str) -> float:
        """How often one of these is picked."""
        return sum(weight for value, weight in zip(self.values, self.weights, strict=True) if value in values) / sum(self.weights)

    def pick(self, chance: Chance) -> str:
        return chance.choices(self.values, self.weights)[0]


@dataclass(frozen=True)
class QueueProfile:
    """One queue: its share of all contacts, and the mean handling time of a live contact."""

    name: str
    team: str
    share: float
    channels: Choice
    reasons: tuple[str, ...]
    talk_ms: int


_EVERY_CHANNEL = ("phone", "chat", "email", "web")

QUEUES = (
    QueueProfile(
        "billing", "front-office", 0.26, Choice(_EVERY_CHANNEL, (50, 20, 20, 10)),
        ("invoice", "refund", "payment", "dunning"), 210 * SECOND,
    ),
    QueueProfile(
        "technical", "engineering", 0.24, Choice(_EVERY_CHANNEL, (40, 30, 15, 15)),
        ("outage", "setup", "error", "upgrade"), 330 * SECOND,
    ),
    QueueProfile(
        "orders", "front-office", 0.18, Choice(_EVERY_CHANNEL, (45, 25, 15, 15)),
        ("delivery", "change", "tracking"), 180 * SECOND,
    ),
    QueueProfile(
        "returns", "back-office", 0.13, Choice(_EVERY_CHANNEL, (30, 20, 30, 20)),
        ("damaged", "exchange", "label"), 200 * SECOND,
    ),
    QueueProfile(
        "accounts", "back-office", 0.11, Choice(_EVERY_CHANNEL, (35, 25, 25, 15)),
        ("password", "address", "closure"), 150 * SECOND,
    ),
    QueueProfile(
        "sales", "sales", 0.08, Choice(_EVERY_CHANNEL, (60, 25, 10, 5)),
        ("quote", "availability"), 260 * SECOND,
    ),
)  # fmt: skip

PRIORITIES = Choice(("urgent", "high", "normal", "low"), (5, 15, 60, 20))
REPLY_MEDIAN = {"urgent": 5 * MINUTE, "high": 20 * MINUTE, "normal": 80 * MINUTE, "": 80 * MINUTE, "low": 160 * MINUTE}
"""How long something written lies before somebody takes it up, median; a third of the targets that are usual."""
TARGETS = {
    "first_reply": {"urgent": 15 * MINUTE, "high": HOUR, "normal": 4 * HOUR, "": 4 * HOUR, "low": 8 * HOUR},
    "resolution": {"urgent": 4 * HOUR, "high": 8 * HOUR, "normal": 2 * DAY, "": 2 * DAY, "low": 5 * DAY},
}
"""What a source that sets due instants itself promises."""
PRIORITY_RANK = {"urgent": 0, "high": 1, "normal": 2, "": 2, "low": 3}
TIERS = Choice(("gold", "silver", "standard"), (1, 3, 6))
FLAGS = Choice(("synthetic", "internal", "spam", "historical"), (3, 3, 2, 2))
SURVEY_KINDS = Choice(("csat", "nps", "ces"), (5, 3, 3))
SURVEY_ROUTES = {
    "csat": Choice(("email", "sms", "ivr"), (4, 3, 3)),
    "nps": Choice(("email", "sms"), (6, 4)),
    "ces": Choice(("web", "email"), (5, 5)),
}
SCORES = {
    "csat": Choice(("1", "2", "3", "4", "5"), (8, 7, 13, 32, 40)),
    "nps": Choice(tuple(str(score) for score in range(11)), (4, 2, 2, 3, 3, 6, 7, 14, 19, 20, 20)),
    "ces": Choice(tuple(str(score) for score in range(1, 8)), (5, 6, 9, 14, 22, 25, 19)),
}
RESOLUTION_CODES = Choice(("solved", "explained", "refunded", "no_fault_found"), (6, 3, 1, 1))

HOURS = (
    0.10, 0.07, 0.05, 0.05, 0.06, 0.12, 0.30, 0.70, 1.30, 1.90, 2.20, 2.15,
    1.85, 1.80, 1.95, 1.90, 1.75, 1.60, 1.35, 1.10, 0.85, 0.60, 0.35, 0.20,
)  # fmt: skip
"""Traffic of each hour of the day (UTC) against the mean hour."""
WEEKDAYS = (1.30, 1.15, 1.10, 1.05, 1.05, 0.75, 0.60)
"""Traffic of each day, Monday first, against the mean day."""
FLAT_HOURS = (1.0,) * 24
FLAT_WEEKDAYS = (1.0,) * 7


@dataclass(frozen=True)
class Rhythm:
    """How traffic goes up and down over the day and the week."""

    hours: Sequence[float] = HOURS
    weekdays: Sequence[float] = WEEKDAYS

    def intensity(self, instant: int) -> float:
        """Traffic at an instant (epoch ms) against the mean; straight lines between full hours."""
        moment = datetime.fromtimestamp(instant / 1000, UTC)
        share = moment.minute / 60
        this_hour, next_hour = self.hours[moment.hour], self.hours[(moment.hour + 1) % 24]
        return (this_hour + (next_hour - this_hour) * share) * self.weekdays[moment.weekday()]

    def peak(self) -> float:
        return max(self.hours) * max(self.weekdays)


STEADY = Rhythm(FLAT_HOURS, FLAT_WEEKDAYS)
"""The same traffic at any hour: a demonstration shows numbers at night too."""

"""What a feed is: a finite or endless run of input events, each with its topic, key and instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from models.events.instants import epoch_ms

type_topics: Mapping[str, str] = {
    "case.resolved": "resolutions",
    "case.reopened": "resolutions",
    "case.closed": "resolutions",
    "case.merged": "resolutions",
    "case.cancelled": "resolutions",
    "survey.sent": "surveys",
    "survey.responded": "surveys",
}
"""The usual topic of a type; every type that is not here goes to ``contacts``."""

INPUT_TOPICS = ("contacts", "resolutions", "surveys")
"""Logical names of the three inputs."""

DATA_DIRECTORY = Path(__file__).resolve().parents[2] / "data"
"""Where a checkout keeps the two public data sets."""

InputEvent = dict[str, object]
"""One event as it goes on the wire: JSON types only, every instant in integer epoch milliseconds."""


class FeedEvent(NamedTuple):
    """One input event on its way to a topic.

    ``key`` is the case (or the survey, for a survey without a case) and decides the partition.
    A finished record (``contact.recorded``) speaks of instants before its ``occurred_at``: see ``oldest_instant``.
    """

    topic: str
    key: bytes
    event: InputEvent
    occurred_at: int


class Feed(Protocol):
    """A source of events that can be read more than once, each time the same.

    ``zone`` is the IANA zone in which the days of the feed are counted.
    """

    name: str
    simulated: bool
    zone: str

    def events(self) -> Iterator[FeedEvent]:
        """Every event once, in rising ``occurred_at``."""

    def outline(self) -> FeedOutline:
        """What the whole feed spans; may read it to the end."""


class FeedOutline(NamedTuple):
    """What is known about a whole feed before it is sent.

    ``final_instant`` is the event time (ms) up to which the feed is complete once it was sent.
    ``disorder_ms``: no event speaks of an instant older than an earlier event's ``occurred_at`` minus this.
    """

    events: int
    first_instant: int
    last_instant: int
    final_instant: int
    disorder_ms: int = 0


def feed_event(event: InputEvent) -> FeedEvent:
    """Put an event with integer ``occurred_at`` on its usual topic under its usual key."""
    topic = type_topics.get(str(event["type"]), "contacts")
    return FeedEvent(topic, event_key(event), event, instant_of(event))


def event_key(event: InputEvent) -> bytes:
    """The case, else the contact, else the survey, as UTF-8; empty when there is none of them."""
    owner = event.get("case_id") or event.get("contact_id") or event.get("survey_id") or ""
    return str(owner).encode()


def instant_of(event: InputEvent) -> int:
    """``occurred_at`` in epoch milliseconds. Raises ``ValueError`` for what is no instant."""
    return instant(event.get("occurred_at"))


def instant(value: object) -> int:
    """Epoch milliseconds of an integer or an RFC 3339 text with its offset. Raises ``ValueError`` for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return epoch_ms(moment)
    raise ValueError(f"not an instant: {value!r}")


def oldest_instant(event: FeedEvent) -> int:
    """The oldest instant the event speaks of: ``opened_at`` of a finished record, else ``occurred_at``."""
    opened_at = event.event.get("opened_at")
    return event.occurred_at if opened_at is None else min(instant(opened_at), event.occurred_at)


def outline_of(events: Iterable[FeedEvent], margin_ms: int) -> FeedOutline:
    """Read events in rising ``occurred_at`` to the end; the final instant is the last one plus the margin.

    Raises ``ValueError`` for no events at all.
    """
    count, first, newest, disorder = 0, 0, 0, 0
    for event in events:
        first = event.occurred_at if count == 0 else first
        count += 1
        newest = max(newest, event.occurred_at)
        disorder = max(disorder, newest - oldest_instant(event))
    if count == 0:
        raise ValueError("the feed has no events")
    return FeedOutline(count, first, newest, newest + margin_ms, disorder)


def only_topic(events: Iterable[FeedEvent], topic: str) -> Iterator[FeedEvent]:
    """The events of one topic, their order kept."""
    return (event for event in events if event.topic == topic)

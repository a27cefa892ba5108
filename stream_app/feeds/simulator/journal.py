"""What the simulation writes down: events with their ids, in the order of their instants."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from stream_app.feeds.feed import INPUT_TOPICS, FeedEvent, InputEvent, feed_event
from stream_app.feeds.simulator.agenda import Agenda


@dataclass(slots=True)
class Case:
    """A case of the simulation, as its own system would know it."""

    case_id: str
    customer_id: str
    queue: str
    channel: str
    reason: str
    priority: str
    team: str
    tier: str
    contacts: int = 0
    status: str = "open"
    gone: bool = False
    """Merged or cancelled: nothing more is sent about it."""


@dataclass(slots=True)
class Contact:
    """One contact; ``recorded`` ones are reported as a whole when they are over."""

    contact_id: str
    case: Case
    channel: str
    queue: str
    opened_at: int
    recorded: bool = False
    answered_at: int | None = None
    parts: InputEvent = field(default_factory=dict)


class Journal:
    """Numbers and collects events. ``tag`` begins every id, so that two runs never share one."""

    def __init__(self, agenda: Agenda, tag: str) -> None:
        self.agenda = agenda
        self.tag = tag
        self.pending: deque[FeedEvent] = deque()
        self.open_records: dict[str, int] = {}
        """Contacts whose finished record is still to come, with the oldest instant it will speak of."""
        self._events = 0
        self._names = 0

    def name(self, kind: str) -> str:
        """A new id for a case, contact, survey or commitment."""
        self._names += 1
        return f"{self.tag}-{kind}{self._names}"

    def write(self, event_type: str, **fields: object) -> None:
        """One event that happens now. Fields that are empty text are left out."""
        self._events += 1
        event: InputEvent = {
            "event_id": f"{self.tag}-e{self._events}",
            "type": event_type,
            "occurred_at": self.agenda.now,
        }
        event.update((name, value) for name, value in fields.items() if value != "")
        self.pending.append(feed_event(event))

    def about(self, case: Case, event_type: str, **fields: object) -> None:
        """One event of a case, unless the case is merged or cancelled."""
        if not case.gone:
            self.write(event_type, case_id=case.case_id, **fields)

    def declare_progress(self) -> None:
        """Say on every topic that nothing older than now, or than a record still to come, will follow."""
        up_to = min([self.agenda.now, *self.open_records.values()]) - 1
        for topic in INPUT_TOPICS:
            event: InputEvent = {"type": "source.progress", "occurred_at": self.agenda.now, "up_to": up_to}
            self.pending.append(FeedEvent(topic, b"", event, self.agenda.now))

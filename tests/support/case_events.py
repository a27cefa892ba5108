"""Short words for the events of a case, and a case to tell them to. Instants are seconds after ``EPOCH``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from models.cases.items import item_of
from models.cases.logic import CasesLogic
from models.cases.row import CaseRow
from models.cases.rules import CaseRules
from models.cases.take import Taken, pass_time, take
from models.durability.keyed import KeyedState, Message
from models.durability.panes import PaneStore
from models.durability.rows import RowStore
from models.events.canonical import Definitions, Event, Mark
from models.panes.dimensions import Cell, Dimensions
from models.panes.facts import Entry, total
from stream_app.wire.keyed import CASES

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400
EPOCH: Final = 1_700_006_400_000  # a full hour
CASE: Final = "case-1"
CELL: Final[Cell] = ("billing", "email", "normal", "unset")

DEFINITIONS: Final[dict[str, Any]] = {
    "horizon_s": 35 * DAY,
    "zone": "UTC",
    "fast_tier": False,
    "dimensions": {
        "queue": ["billing", "orders", "returns"],
        "channel": ["email", "phone", "chat"],
        "priority": ["urgent", "normal", "low"],
        "team": ["red", "blue"],
        "route": ["mail", "sms"],
    },
    "queued_channels": ["phone", "chat"],
    "service_level_target_s": 20,
    "short_abandon_s": 5,
    "sla": {
        "targets": {"first_reply": {"urgent": 600, "normal": HOUR}, "resolution": {"urgent": HOUR, "normal": 4 * HOUR}},
        "pause_statuses": ["pending_customer"],
        "warn_percent": 75,
    },
}
RULES: Final = CaseRules.from_body(DEFINITIONS)


def at_ms(seconds: float) -> int:
    """The instant as the log has it."""
    return EPOCH + round(seconds * 1000)


def happened(event_type: str, at: float, **fields: Any) -> Event:
    """An event; what is not said is made up from what is."""
    contact = "c1" if event_type.startswith("contact.") else ""
    told: dict[str, Any] = {"case_id": CASE, "contact_id": contact, **fields}
    told.setdefault("event_id", f"{event_type}/{at}/{told['contact_id']}")
    told.setdefault("origin", f"contacts-0@{told['event_id']}")
    return Event(type=event_type, occurred_at=at_ms(at), **told)


def opened(at: float, contact: str = "c1", **fields: Any) -> Event:
    told: dict[str, Any] = {"channel": "email", "queue": "billing", "priority": "normal", "customer_id": "ann", **fields}
    return happened("contact.opened", at, contact_id=contact, **told)


def called(at: float, contact: str = "c1", **fields: Any) -> Event:
    """Opened by phone, a queued channel."""
    return opened(at, contact, **{"channel": "phone", **fields})


def answered(at: float, contact: str = "c1", **fields: Any) -> Event:
    return happened("contact.answered", at, contact_id=contact, representative_id="rep-1", **fields)


def abandoned(at: float, contact: str = "c1") -> Event:
    return happened("contact.abandoned", at, contact_id=contact)


def callback(at: float, contact: str = "c1") -> Event:
    return happened("contact.callback_requested", at, contact_id=contact)


def transferred(at: float, to_queue: str, contact: str = "c1", **fields: Any) -> Event:
    return happened("contact.transferred", at, contact_id=contact, to_queue=to_queue, **fields)


def ended(at: float, contact: str = "c1", **fields: Any) -> Event:
    return happened("contact.ended", at, contact_id=contact, **fields)


def customer_wrote(at: float) -> Event:
    return happened("message.customer", at)


def replied(at: float, *, public: bool = True, automated: bool = False) -> Event:
    return happened("message.representative", at, public=public, automated=automated, representative_id="rep-1")


def status(at: float, to: str) -> Event:
    return happened("case.status_changed", at, status=to)


def priority(at: float, to: str) -> Event:
    return happened("case.priority_changed", at, priority=to)


def reclassified(at: float, **fields: Any) -> Event:
    return happened("case.reclassified", at, **fields)


def flagged(at: float, *flags: str) -> Event:
    return happened("case.flagged", at, flags=flags)


def escalated(at: float, **fields: Any) -> Event:
    return happened("case.escalated", at, **fields)


def resolved(at: float, **fields: Any) -> Event:
    return happened("case.resolved", at, **fields)


def reopened(at: float) -> Event:
    return happened("case.reopened", at)


def closed(at: float) -> Event:
    return happened("case.closed", at)


def customer_is(at: float, customer: str) -> Event:
    return happened("case.customer_changed", at, customer_id=customer)


def survey_sent(at: float, kind: str = "csat", survey: str = "s1", route: str = "mail") -> Event:
    return happened("survey.sent", at, survey_id=survey, kind=kind, route=route, event_id=f"sent/{at}/{survey}")


def survey_answered(at: float, score: float, kind: str = "csat", survey: str = "s1", route: str = "mail") -> Event:
    return happened("survey.responded", at, survey_id=survey, kind=kind, route=route, score=score, event_id=f"answer/{at}/{survey}")


class Case:
    """One row, told events in any order. Checks at every step that what went to the panes adds up to the row's facts."""

    def __init__(self, *events: Event, rules: CaseRules = RULES, dimensions: Dimensions | None = None) -> None:
        self.rules = rules
        self.dimensions = dimensions or Dimensions(rules.listed, rules.dimension_cap)
        self.row = CaseRow()
        self.journal: list[Entry] = []
        self.over = False
        self.tell(*events)

    def tell(self, *events: Event) -> Taken:
        """Take the events one by one; what became of the last."""
        taken = Taken()
        for event in events:
            taken = take(self.row, item_of(event), self.rules, self.dimensions)
            self._enter(taken.journal)
        return taken

    def pass_to(self, at: float) -> Case:
        """The watermark reaches an instant."""
        journal, self.over = pass_time(self.row, at_ms(at), self.rules, self.dimensions)
        self._enter(journal)
        return self

    def stored_and_back(self) -> Case:
        """The row as a recovery finds it."""
        self.row.fence = max(self.row.fence, 1)
        self.row = CASES.restore_row(CASES.row_key("k"), CASES.row(self.row))
        return self

    def _enter(self, journal: list[Entry]) -> None:
        self.journal += journal
        assert total(self.journal) == self.row.facts

    @property
    def counts(self) -> Counter[str]:
        """Facts by key, over all instants and cells."""
        counts: Counter[str] = Counter()
        for (key, _, _), weight in self.row.facts.items():
            counts[key] += weight
        return counts

    def dated(self, key: str) -> list[tuple[float, Cell]]:
        """Seconds and cell of every fact of a key."""
        return sorted(((at - EPOCH) / 1000, cell) for fact, at, cell in self.row.facts if fact == key)

    def instants(self, key: str) -> list[float]:
        """Seconds of every fact of a key."""
        return [at for at, _ in self.dated(key)]


class Desk:
    """The Cases machine over one partition: events and the passing of time in, messages out."""

    def __init__(self, definitions: Mapping[str, Any] = DEFINITIONS) -> None:
        panes, dimensions = PaneStore(), Dimensions()
        self.logic = CasesLogic(panes, dimensions)
        rows: RowStore[CaseRow] = RowStore(CASES.row, lambda key, value: CASES.restore_row(CASES.row_key(key), value))
        self.state: KeyedState[CaseRow] = KeyedState(0, self.logic, panes, dimensions, rows)
        self.messages: list[Message] = []
        self.state.define(Definitions(1, dict(definitions)), 0)

    def tell(self, *events: Event) -> Desk:
        """Apply log records."""
        for event in events:
            self.messages += self.state.apply(event.case_id, event, self.state.offset)
        self.state.conclude()
        return self

    def pass_to(self, at: float) -> Desk:
        """A mark whose one source has come to the instant; the writer's clock stands five seconds later."""
        mark = Mark({"contacts-0": at_ms(at)}, {"contacts": 1}, clock=at_ms(at + 5))
        self.messages += self.state.mark(mark, self.state.offset)
        self.state.conclude()
        return self

    def said(self, topic: str) -> list[Any]:
        """Bodies of the messages to a topic so far."""
        return [message.body for message in self.messages if message.topic == topic]

    def kinds(self, topic: str = "sla-events") -> list[str]:
        """``metric kind`` of each SLA event, ``kind`` of each case event."""
        return [" ".join(filter(None, (body.get("metric"), body["kind"]))) for body in self.said(topic)]

    def levels(self, cell: Cell = CELL) -> dict[str, int]:
        """Levels of one cell; zero where absent."""
        return dict(self.logic.levels.cells()).get(cell, {})

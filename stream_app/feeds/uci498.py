"""Audit log of a ServiceNow instance (UCI Machine Learning Repository, doi 10.24432/C57S4H) as input events.

One row of the file is one update of one incident. Columns that the publisher filled in afterwards on every
row (``resolved_at``, ``closed_at``, ``closed_code``, ``resolved_by``) would leak the future and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from stream_app.feeds.dataset import rows
from stream_app.feeds.feed import DATA_DIRECTORY, FeedEvent, FeedOutline, InputEvent, feed_event, outline_of

FILE_NAME = "uci498_incident_log.csv.gz"
PRIORITIES = {"1 - Critical": "urgent", "2 - High": "high", "3 - Moderate": "normal", "4 - Low": "low"}
STATUSES = {
    "New": "open",
    "Active": "open",
    "Awaiting User Info": "pending_customer",
    "Awaiting Vendor": "pending_third_party",
    "Awaiting Evidence": "pending_third_party",
    "Awaiting Problem": "pending_third_party",
    "Resolved": "resolved",
    "Closed": "closed",
}
"""What a state means for the case; a state that is not here (``-100``) says nothing and is passed over."""
OVER = ("resolved", "closed")
"""From these only a rising ``reopen_count`` leads back: the one row that says otherwise is out of place in the file."""
MARGIN_MS = 8 * 86_400_000
"""After the last event: the seven days in which a contact can still be repeated, and one more."""

Row = dict[str, str]


NO_CATEGORY = "uncategorised"
"""A missing category is one of its own here, as in the figures this data set is checked with."""


class Uci498Feed:
    """24,918 incidents of 2016. Times are read as UTC; they have minute resolution.

    Updates of an incident are ordered by ``sys_updated_at``, ``sys_mod_count``, place in the file, and those
    of the same minute are set one millisecond apart, so that the order survives wherever only instants count.
    """

    name = "uci498"
    simulated = False
    zone = "UTC"

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or DATA_DIRECTORY / FILE_NAME

    def events(self) -> Iterator[FeedEvent]:
        """Every event in rising (occurred_at, incident, place in the incident). Raises ``DatasetMissingError``."""
        found = [feed_event(event) for incident in self._incidents() for event in incident_events(incident)]
        found.sort(key=lambda event: (event.occurred_at, event.event["event_id"]))
        return iter(found)

    def outline(self) -> FeedOutline:
        """Count and span; reads the file."""
        return outline_of(self.events(), MARGIN_MS)

    def _incidents(self) -> Iterator[list[Row]]:
        incidents: dict[str, list[Row]] = {}
        for row in rows(self.path):
            incidents.setdefault(row["number"], []).append(row)
        for updates in incidents.values():
            updates.sort(key=lambda row: (minute_instant(row["sys_updated_at"]), int(row["sys_mod_count"])))
            yield updates


@lru_cache(maxsize=100_000)
def minute_instant(text: str) -> int:
    """Epoch milliseconds of ``d/m/yyyy HH:MM`` in UTC. Raises ``ValueError`` for anything else."""
    return int(datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC).timestamp()) * 1000


def present(value: str) -> str:
    """The value, or nothing for ``?``."""
    return "" if value == "?" else value


def incident_events(updates: list[Row]) -> Iterator[InputEvent]:
    """Events of one incident, whose updates stand in their order."""
    incident = _Incident(updates[0])
    yield incident.opening()
    yield from incident.entered(updates[0])
    for before, update in pairwise(updates):
        yield from incident.updated(before, update)


class _Incident:
    """What has to be remembered from one update to the next."""

    def __init__(self, first: Row) -> None:
        self.first = first
        self.number = first["number"]
        self.sequence = 0
        self.newest = 0
        self.status = "open"
        self.answered = False

    def opening(self) -> InputEvent:
        first = self.first
        return self._event(
            "contact.opened",
            minute_instant(first["opened_at"]),
            contact_id=self.number,
            channel=present(first["contact_type"]).lower().replace(" ", "_"),
            customer_id=present(first["caller_id"]),
            priority=PRIORITIES.get(first["priority"], ""),
            reason=present(first["category"]) or NO_CATEGORY,
            queue=present(first["assignment_group"]),
        )

    def updated(self, before: Row, update: Row) -> Iterator[InputEvent]:
        """Changes of group, priority and state against the update before."""
        reassigned = int(update["reassignment_count"]) > int(before["reassignment_count"])
        moved = update["assignment_group"] != before["assignment_group"]
        yield from self.entered(
            update,
            transferred=reassigned or moved,
            reprioritised=update["priority"] != before["priority"],
            reopened=int(update["reopen_count"]) > int(before["reopen_count"]),
        )

    def entered(
        self, update: Row, *, transferred: bool = False, reprioritised: bool = False, reopened: bool = False
    ) -> Iterator[InputEvent]:
        at = max(minute_instant(update["sys_updated_at"]), self.newest + 1)
        if transferred:
            queue = present(update["assignment_group"]) or "unset"
            yield self._event("contact.transferred", at, contact_id=self.number, to_queue=queue)
        if reprioritised:
            yield self._event("case.priority_changed", at, priority=PRIORITIES[update["priority"]])
        yield from self._first_answer(update, at)
        if reopened:
            yield self._event("case.reopened", at)
            self.status = "open"
            at += 1  # what the case is reopened into comes after the reopening
        yield from self._state(update, at)

    def _first_answer(self, update: Row, at: int) -> Iterator[InputEvent]:
        if not self.answered and update["incident_state"] != "New" and update["incident_state"] in STATUSES:
            self.answered = True
            representative = present(update["sys_updated_by"]) or "unknown"
            yield self._event("message.representative", at, representative_id=representative, public=True)

    def _state(self, update: Row, at: int) -> Iterator[InputEvent]:
        status = STATUSES.get(update["incident_state"], self.status)
        if status == self.status or (self.status in OVER and status not in OVER):
            return
        self.status = status
        if status in OVER:
            yield self._event(f"case.{status}", at)
        else:
            yield self._event("case.status_changed", at, status=status)

    def _event(self, kind: str, at: int, **fields: object) -> InputEvent:
        event_id = f"{self.number}-{self.sequence:03d}"
        self.sequence += 1
        self.newest = at if self.sequence > 1 else self.newest  # the opening binds nobody: two incidents are answered before it
        event: InputEvent = {"event_id": event_id, "type": kind, "occurred_at": at, "case_id": self.number}
        event.update((name, value) for name, value in fields.items() if value != "")
        return event

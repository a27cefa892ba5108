"""Boston 311 service requests of 2015 (City of Boston, public domain) as input events.

Every request has a due instant of its own where the city set one; there is no customer in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from stream_app.feeds.dataset import rows
from stream_app.feeds.feed import DATA_DIRECTORY, FeedEvent, FeedOutline, InputEvent, feed_event, outline_of

FILE_NAME = "boston311_2015.csv.gz"
ZONE = ZoneInfo("America/New_York")
SNAPSHOT = datetime(2016, 1, 13, tzinfo=ZONE)
"""The file is complete up to here: the city took it on 12-13 January 2016."""


class Boston311Feed:
    """121,145 requests: opened, and resolved where they were closed.

    197 requests close up to 58 s before they open; they are given as they stand.
    """

    name = "boston311"
    simulated = False
    zone = "America/New_York"

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or DATA_DIRECTORY / FILE_NAME

    def events(self) -> Iterator[FeedEvent]:
        """Every event in rising (occurred_at, event id). Raises ``DatasetMissingError``."""
        found = [feed_event(event) for row in rows(self.path) for event in request_events(row)]
        found.sort(key=lambda event: (event.occurred_at, event.event["event_id"]))
        return iter(found)

    def outline(self) -> FeedOutline:
        """Count and span; final at the snapshot. Reads the file."""
        return outline_of(self.events(), 0)._replace(final_instant=int(SNAPSHOT.timestamp()) * 1000)


def local_instant(text: str) -> int:
    """Epoch milliseconds of a wall time in Boston.

    A wall time that occurs twice (the end of summer time) is read as the first of the two: nothing in the
    file says which, and the one opening concerned stands between neighbours that fit both.
    """
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE, fold=0).timestamp()) * 1000


def request_events(row: dict[str, str]) -> Iterator[InputEvent]:
    """The opening of a request and, if it was closed, its resolution."""
    case_id = row["case_enquiry_id"]
    opening: InputEvent = {
        "event_id": f"{case_id}-opened",
        "type": "contact.opened",
        "occurred_at": local_instant(row["open_dt"]),
        "case_id": case_id,
        "contact_id": case_id,
    }
    described = {"channel": row["source"], "queue": row["queue"], "reason": row["reason"], "team": row["department"]}
    opening.update((name, value) for name, value in described.items() if value)
    if row["target_dt"]:
        opening["due"] = {"resolution": local_instant(row["target_dt"])}
    yield opening
    if row["closed_dt"]:
        yield _resolution(case_id, row)


def _resolution(case_id: str, row: dict[str, str]) -> InputEvent:
    resolution: InputEvent = {
        "event_id": f"{case_id}-resolved",
        "type": "case.resolved",
        "occurred_at": local_instant(row["closed_dt"]),
        "case_id": case_id,
    }
    if row["closure_kind"]:
        resolution["resolution_code"] = row["closure_kind"]
    return resolution

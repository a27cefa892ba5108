"""Moving a feed to other times: an affine map of every instant, and names that no earlier run used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stream_app.feeds.feed import FeedEvent, InputEvent, event_key, instant

INSTANT_FIELDS = (
    "occurred_at",
    "opened_at",
    "answered_at",
    "abandoned_at",
    "ended_at",
    "resolved_at",
    "promised_for",
    "up_to",
)
NAME_FIELDS = ("event_id", "case_id", "contact_id", "into_case_id", "survey_id", "commitment_id")


@dataclass(frozen=True)
class Rebase:
    """``origin`` becomes ``start``, and time after it runs ``speed`` times as fast; instants in epoch ms.

    Ids of cases, contacts and events get a prefix: a second replay into the same pipeline is new work,
    not duplicates of the first. Customers stay who they are.
    """

    origin: int
    start: int
    speed: float = 1.0

    def instant(self, at: int) -> int:
        return self.start + round((at - self.origin) / self.speed)

    def apply(self, events: Iterable[FeedEvent]) -> Iterator[FeedEvent]:
        """The events at their new instants, order kept."""
        for event in events:
            moved = self._event(event.event)
            yield FeedEvent(event.topic, event_key(moved), moved, self.instant(event.occurred_at))

    def _event(self, event: InputEvent) -> InputEvent:
        moved = dict(event)
        for name in INSTANT_FIELDS:
            if moved.get(name) is not None:
                moved[name] = self.instant(instant(moved[name]))
        due = moved.get("due")
        if isinstance(due, dict):
            moved["due"] = {name: self.instant(instant(at)) for name, at in due.items()}
        for name in NAME_FIELDS:
            if moved.get(name):
                moved[name] = f"{self.start:x}-{moved[name]}"
        return moved


def rebase_to_now(first_instant: int, last_instant: int, now: int, speed: float | None) -> Rebase:
    """With a speed the first event happens now and the rest is still to come; at full speed the last one happened just now."""
    if speed is None:
        return Rebase(last_instant, now)
    return Rebase(first_instant, now, speed)

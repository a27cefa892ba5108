"""The latest confirmed breaches, grouped for the header of the page."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any, Final

EVENTS_KEPT: Final = 2_000
ALERTS_SHOWN: Final = 3
ALERT_AGE_MS: Final = 15 * 60_000


class RecentBreaches:
    """Breaches and retractions by (case, metric, cycle), the latest ``EVENTS_KEPT`` of them."""

    def __init__(self) -> None:
        self._events: OrderedDict[tuple[str, str, int], dict[str, Any]] = OrderedDict()

    def add(self, event: Mapping[str, Any]) -> bool:
        """Take one SLA event. True when it changed what is known; repeats and older revisions do not.

        A retraction is kept in the place of its breach, so that a breach delivered again stays retracted.
        """
        if event["kind"] not in ("breached", "retracted"):
            return False
        clock = (str(event["case_id"]), str(event["metric"]), int(event.get("cycle", 1)))
        held = self._events.get(clock)
        if held is not None and int(held.get("revision", 1)) >= int(event.get("revision", 1)):
            return False
        self._events[clock] = {**event, "detected_at": int(event.get("detected_at") or event.get("due_at") or 0)}
        self._events.move_to_end(clock)
        if len(self._events) > EVENTS_KEPT:
            self._events.popitem(last=False)
        return True

    def latest(self) -> list[dict[str, Any]]:
        """Every breach known and not retracted, the latest taken first."""
        return [event for event in reversed(self._events.values()) if event["kind"] == "breached"]

    def alerts(self, clock: int | None) -> list[dict[str, Any]]:
        """At most three groups (metric, queue) of the last quarter of an hour before ``clock``, largest first."""
        if clock is None:
            return []
        counts = Counter(
            (str(event["metric"]), str(event.get("queue", "unset")))
            for event in self.latest()
            if event.get("alert", True) and event.get("confirmed", True) and _is_recent(event, clock)
        )
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [{"metric": metric, "queue": queue, "breaches": count} for (metric, queue), count in ordered[:ALERTS_SHOWN]]


def _is_recent(event: Mapping[str, Any], clock: int) -> bool:
    return clock - ALERT_AGE_MS <= int(event["detected_at"]) <= clock

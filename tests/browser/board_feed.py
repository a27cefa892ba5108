"""A feed that a test fills by hand, and records as Rollup writes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import orjson

from models.catalogue.registry import BY_ID, CATALOGUE
from stream_app.board.feed import FeedBatch, FeedRecord

NOW = 1_790_000_000_000
"""The log's clock in every example: 2026-09-21 13:33:20 UTC."""


class FakeFeed:
    """A ``BoardFeed`` from a queue; what was put in before the board starts waits for it."""

    def __init__(self) -> None:
        self._batches: asyncio.Queue[FeedBatch] = asyncio.Queue()

    def send(self, *records: FeedRecord) -> None:
        self._batches.put_nowait(FeedBatch(records))

    def report(self, batch: FeedBatch) -> None:
        self._batches.put_nowait(batch)

    async def batches(self) -> AsyncIterator[FeedBatch]:
        while True:
            yield await self._batches.get()


def kpi(name: str, value: float | None, window: str = "now", group: Mapping[str, str] | None = None, **parts: Any) -> FeedRecord:
    """A row of ``kpis`` with the unit of its catalogue entry."""
    group = dict(group or {})
    body: dict[str, Any] = {"kpi": name, "value": value, "unit": BY_ID[name].unit, "window": window, "group": group, "state": "provisional"}
    body |= {"watermark": NOW - 3000, "definition_version": 1, **parts}
    return FeedRecord("kpis", orjson.dumps([name, window, group]), orjson.dumps(body))


def watermark(clock: int = NOW, behind_ms: int | None = 3000, *, simulated: bool = False) -> FeedRecord:
    value = None if behind_ms is None else clock - behind_ms
    body: dict[str, Any] = {"kpi": "watermark", "value": value, "window": "now", "group": {}, "clock": clock, "simulated": simulated}
    return FeedRecord("kpis", orjson.dumps(["watermark", "now", {}]), orjson.dumps(body))


def source(name: str, progress: int | None = NOW - 3000) -> FeedRecord:
    group = {"source": name}
    body = {"kpi": "source_progress", "value": progress, "window": "now", "group": group}
    return FeedRecord("kpis", orjson.dumps(["source_progress", "now", group]), orjson.dumps(body))


def next_to_breach(*items: Mapping[str, Any]) -> FeedRecord:
    body = {"kpi": "next_to_breach", "value": len(items), "window": "now", "group": {}, "items": list(items)}
    return FeedRecord("kpis", orjson.dumps(["next_to_breach", "now", {}]), orjson.dumps(body))


def due(case_id: str, in_seconds: float, **parts: Any) -> dict[str, Any]:
    """A clock of ``next_to_breach`` that ends so long after the example's now."""
    due_at = NOW + round(in_seconds * 1000)
    return {
        "case_id": case_id, "metric": "first_reply", "due_at": due_at, "warn_at": due_at - 600_000, "at_risk": in_seconds < 600,
        "queue": "billing", "channel": "email", "priority": "high", "team": "one", **parts,
    }  # fmt: skip


def breached(case_id: str, queue: str = "billing", *, kind: str = "breached", revision: int = 1) -> FeedRecord:
    body = {
        "id": f"{case_id}:first_reply:{kind}:{revision}", "case_id": case_id, "metric": "first_reply", "cycle": 1, "kind": kind,
        "due_at": NOW - 60_000, "detected_at": NOW - 59_000, "queue": queue, "revision": revision, "confirmed": True, "alert": True,
    }  # fmt: skip
    return FeedRecord("sla-events", case_id.encode(), orjson.dumps(body))


def crowded_day() -> Iterable[FeedRecord]:
    """Every number as large as it gets, in a large organisation with long names."""
    queue = "premium-onboarding-north"
    many, most = 88_888, 99_999
    for entry in CATALOGUE:
        windows = [window for window in ("now", "30m", "today", "28d") if window in entry.windows]
        for window in windows:
            shared: dict[str, Any] = {"numerator": many, "denominator": most}
            if entry.per_route:
                for route in ("email", "after-call", "sms", "web"):
                    score = {"ratio": 0.888, "score": -88.8 if entry.id == "nps" else 6.8}.get(entry.unit, many)
                    low, high = (0.876, 0.899) if entry.unit == "ratio" else (-90.4, -86.2)
                    interval: dict[str, Any] = {} if entry.id == "ces_mean" else {"low": low, "high": high}
                    yield kpi(entry.id, score, window, {"route": route}, n=most, **interval)
            elif entry.unit == "ratio":
                yield kpi(entry.id, many / most, window, **shared)
            elif entry.unit == "seconds":
                seconds = 171_000 if entry.family == "response" else 3_559
                parts: dict[str, Any] = {"since": NOW - 171_000_000} if window == "now" else {"n": most}
                yield kpi(entry.id, seconds, window, **parts)
            else:
                yield kpi(entry.id, most, window)
    yield next_to_breach(
        *(
            due(f"LARGE-2026-{123_450 + i}", 40 + 17_000 * i, queue=queue, metric=("first_reply", "resolution")[i % 2], at_risk=True)
            for i in range(10)
        )
    )
    for name in (queue, "technical", "returns-and-replacements"):
        for i in range(500):
            yield breached(f"{name}-{i}", name)
    yield watermark(simulated=True)


def busy_afternoon() -> Iterable[FeedRecord]:
    """Every tile filled, as in a middling support centre after lunch."""
    yield kpi("service_level", 412 / 489, "30m", numerator=412, denominator=489, excluded=7)
    yield kpi("service_level", 3127 / 3580, "today", numerator=3127, denominator=3580)
    yield kpi("awaiting_response", 37)
    yield kpi("oldest_waiting", 2712, since=NOW - 2_712_000)
    yield kpi("oldest_open", 2_070_000, since=NOW - 2_070_000_000)
    for metric, overdue, risk in (("first_reply", 3, 9), ("resolution", 5, 14)):
        yield kpi(f"sla_overdue_{metric}", overdue)
        yield kpi(f"sla_at_risk_{metric}", risk)
    statuses = {"open": 181, "pending_customer": 94, "pending_third_party": 22, "on_hold": 11}
    for status, cases in statuses.items():
        yield kpi(f"backlog_{status}", cases)
    yield kpi("backlog_unresolved", sum(statuses.values()))
    for name, number in {"offered": 214, "opened": 143, "resolved": 152, "reopened": 4, "net_flow": -5}.items():
        yield kpi(name, number, "30m")
    seconds = {
        "first_reply_p50": 214, "first_reply_p90": 1480, "first_resolution_p50": 9720, "first_resolution_p90": 187_000,
        "speed_of_answer_p50": 8.4, "speed_of_answer_p90": 41, "handle_time_p50": 287, "handle_time_p90": 912,
    }  # fmt: skip
    for name, value in seconds.items():
        yield kpi(name, value, "30m", n=131)
    yield kpi("abandonment_rate", 22 / 511, "30m", numerator=22, denominator=511)
    shares = {
        ("fcr", "28d"): (9120, 12_480), ("fcr_final", "28d"): (6480, 8970), ("fcr_gross", "28d"): (9530, 13_210),
        ("repeat_contact_rate", "28d"): (3240, 13_210), ("escalation_rate", "today"): (41, 612), ("reopen_rate", "28d"): (388, 9720),
        ("escalation_rate_resolved", "30m"): (9, 152), ("transfers_per_answered", "30m"): (31, 411),
        ("sla_attainment_first_reply", "today"): (571, 612), ("sla_attainment_resolution", "today"): (489, 560),
    }  # fmt: skip
    for (name, window), (numerator, denominator) in shares.items():
        yield kpi(name, numerator / denominator, window, numerator=numerator, denominator=denominator)
    for age, cases in {"lt4h": 96, "lt1d": 87, "lt3d": 71, "lt7d": 38, "older": 16}.items():
        yield kpi(f"backlog_age_{age}", cases)
    for route, n in {"email": 412, "web": 208, "ivr": 24}.items():
        small = n < 30
        group = {"route": route}
        yield kpi("csat", 0.82, "28d", group, n=n, low=0.78, high=0.856, small_n=small, numerator=round(0.82 * n), denominator=n)
        yield kpi("nps", 34.2, "28d", group, n=n, low=25.8, high=42.6, small_n=small)
        yield kpi("ces_mean", 5.6, "28d", group, n=n, low=5.4, high=5.8, small_n=small)
    queues = ("billing", "technical", "orders")
    yield next_to_breach(
        due("C-104233", -312), due("C-104871", -14, queue="technical"),
        *(due(f"C-10{5000 + 37 * i}", 40 + 190 * i * (i + 1), queue=queues[i % 3], metric=("first_reply", "resolution")[i % 2]) for i in range(8)),
    )  # fmt: skip
    for i in range(4):
        yield breached(f"C-{i}", "billing")
    yield breached("C-9", "technical")
    for queue in queues:
        yield kpi("awaiting_response", 12, group={"queue": queue})
    for name in ("contacts-0", "contacts-1", "resolutions-0", "surveys-0"):
        yield source(name)
    yield watermark()

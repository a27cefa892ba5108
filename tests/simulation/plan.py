"""What one seed does: the input records of every source, and the faults with the write they strike at.

A plan is data, so that a failing one can be made shorter: records and faults are left out one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import msgspec

START: Final = 1_750_003_200_000
"""2025-06-15T16:00:00Z."""
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
LEAST_RECORDS: Final = 60
SOURCES: Final = ("contacts-0", "contacts-1", "resolutions-0", "surveys-0")
INPUTS: Final = {"contacts": 2, "resolutions": 1, "surveys": 1}
PARTITIONS: Final = 2

CRASH, ZOMBIE, MOVE, DELAY, COMPACT = "crash", "zombie", "move", "delay", "compact"
ANY_WRITE, CHANGELOG_WRITE = "any write", "changelog write"

_QUEUES = ("billing", "delivery", "returns")
_CHANNELS = ("phone", "chat", "email")
_PRIORITIES = ("urgent", "normal")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` strikes when ``counted`` (a kind of write) reaches ``at``; ``choice`` decides what it needs to."""

    kind: str
    counted: str
    at: int
    choice: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """One input record, sent ``at``; ``progress`` when it is the sender's own word of its progress."""

    at: int
    source: str
    value: bytes
    progress: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """``late``: some records come after their source said it was past them. ``policies``: definitions in the order they are published."""

    seed: int
    arrivals: tuple[Arrival, ...]
    faults: tuple[Fault, ...]
    definitions: tuple[Body, ...]
    late: bool

    def without(self, *, arrivals: frozenset[int] = frozenset(), faults: frozenset[int] = frozenset()) -> Plan:
        """The plan without those arrivals (by position) and faults (by position)."""
        return replace(
            self,
            arrivals=tuple(arrival for number, arrival in enumerate(self.arrivals) if number not in arrivals),
            faults=tuple(fault for number, fault in enumerate(self.faults) if number not in faults),
        )

    @property
    def records(self) -> int:
        """Input records that are events."""
        return sum(not arrival.progress for arrival in self.arrivals)

    @property
    def comparable_with_truth(self) -> bool:
        """Whether a run in any other order must say the same: nothing late, no change of policy, no cap on dimensions."""
        return not self.late and len(self.definitions) == 1 and self.definitions[0]["dimension_cap"] > len(_QUEUES)


def plan_of(seed: int) -> Plan:
    """The plan of a seed."""
    random = Random(seed)
    events = _events(random)
    late = random.random() < 0.3
    arrivals = _arrivals(random, events, late=late)
    return Plan(seed, tuple(arrivals), tuple(_faults(random)), tuple(_definitions(random)), late)


def _definitions(random: Random) -> list[Body]:
    body = {
        "horizon_s": random.choice((2, 3, 5)) * 3_600,
        "fast_tier": random.random() < 0.5,
        "dimension_cap": 2 if random.random() < 0.25 else 50,
        "queued_channels": ["phone", "chat"],
        "repeat_window_d": 1 / 24,
        "reopen_window_d": 1 / 24,
        "sla": {
            "targets": {"first_reply": {"urgent": 900, "default": 2_700}, "resolution": {"urgent": 3_600, "default": 7_200}},
            "pause_statuses": ["pending_customer"],
            "warn_percent": 75,
        },
    }
    if random.random() > 0.15:
        return [body]
    sla = {"targets": {"first_reply": {"default": 600}, "resolution": {"urgent": 5_400, "default": 3_000}}, "pause_statuses": [], "warn_percent": 50}
    return [body, {**body, "horizon_s": random.choice((1, 2, 4)) * 3_600, "sla": sla}]


def _faults(random: Random) -> list[Fault]:
    kinds = [random.choice((CRASH, CRASH, ZOMBIE, ZOMBIE, MOVE)) for _ in range(random.choice((2, 2, 3, 4)))]
    kinds += [DELAY] * (random.random() < 0.5) + [COMPACT] * random.choice((0, 1, 2))
    faults = []
    for kind in kinds:
        counted = ANY_WRITE if kind == DELAY or random.random() < 0.4 else CHANGELOG_WRITE
        at = random.randrange(1, 700 if counted == ANY_WRITE else 400)
        faults.append(Fault(kind, counted, at, random.getrandbits(30)))
    return faults


# -- traffic ------------------------------------------------------------------------------------------


def _events(random: Random) -> list[Body]:
    events: list[Body] = []
    case = 0
    while len(events) < LEAST_RECORDS:
        events += _case(random, f"c{case}", random.randrange(4))
        case += 1
    return sorted(events, key=_when)


def _when(event: Body) -> int:
    at: int = event["occurred_at"]
    return at


def _case(random: Random, case: str, customer: int) -> list[Body]:
    at = START + random.randrange(10 * HOUR)
    events: list[Body] = []

    def add(kind: str, minutes: float, /, **fields: Any) -> None:
        nonlocal at
        at += round(random.random() * minutes * MINUTE)
        events.append({"type": kind, "occurred_at": at, "case_id": case, "event_id": f"{case}-{len(events)}", **fields})

    def contact(name: str) -> None:
        about: Body = {"queue": random.choice(_QUEUES), "channel": random.choice(_CHANNELS), "priority": random.choice(_PRIORITIES)}
        if random.random() < 0.8:
            about["customer_id"] = f"u{customer}"
        if random.random() < 0.5:
            about["reason"] = random.choice(("late", "broken"))
        add("contact.opened", 1, contact_id=name, **about)
        outcome = random.random()
        if outcome < 0.7:
            add("contact.answered", random.choice((0.5, 20, 60)), contact_id=name, representative_id="r1")
            add("contact.ended", 5, contact_id=name, talk_s=random.randrange(300))
        elif outcome < 0.85:
            add("contact.abandoned", 1, contact_id=name)

    contact(f"{case}/0")
    for _ in range(random.randrange(1, 5)):
        _something(random, add, contact, f"{case}/{len(events)}")
    if random.random() < 0.8:
        add("case.resolved", 120)
        _after_resolution(random, add, contact, case)
    return events


def _something(random: Random, add: Any, contact: Any, name: str) -> None:
    what = random.randrange(9)
    if what == 0:
        add("contact.transferred", 20, contact_id=name.rpartition("/")[0] + "/0", to_queue=random.choice(_QUEUES))
    elif what == 1:
        add("case.status_changed", 30, status=random.choice(("pending_customer", "on_hold", "open")))
    elif what == 2:
        add("case.priority_changed", 30, priority=random.choice(_PRIORITIES))
    elif what == 3:
        add("case.escalated", 60, to_team="second line")
    elif what == 4:
        add("message.customer", 60)
    elif what == 5:
        add("message.representative", 60, representative_id="r2", public=random.random() < 0.7)
    elif what == 6:
        add("case.reclassified", 30, reason=random.choice(("late", "broken")))
    elif what == 7:
        contact(name)
    elif random.random() < 0.3:
        add("case.cancelled", 60)
    else:
        add("case.customer_changed", 30, customer_id=f"u{random.randrange(4)}")


def _after_resolution(random: Random, add: Any, contact: Any, case: str) -> None:
    if random.random() < 0.5:
        add("survey.sent", 5, survey_id=f"s-{case}", kind="csat", route="mail")
        if random.random() < 0.7:
            add("survey.responded", 90, survey_id=f"s-{case}", kind="csat", route="mail", score=random.randrange(1, 6))
    if random.random() < 0.5:
        if random.random() < 0.7:
            add("case.reopened", 90)
        else:
            add("case.status_changed", 90, status="open")
        if random.random() < 0.3:
            contact(f"{case}/again")
        if random.random() < 0.7:
            add("case.resolved", 60)
    if random.random() < 0.2:
        add("case.closed", 30)


# -- delivery -----------------------------------------------------------------------------------------


def _source(event: Body) -> str:
    kind = event["type"]
    if kind.startswith("survey."):
        return "surveys-0"
    if kind.startswith(("contact.", "message.customer")):
        return f"contacts-{int(event['case_id'][1:]) % 2}"
    return "resolutions-0"


def _arrivals(random: Random, events: list[Body], *, late: bool) -> list[Arrival]:
    by_source: dict[str, list[Body]] = {source: [] for source in SOURCES}
    for event in events:
        by_source[_source(event)].append(event)
    end = max(_when(event) for event in events) + 30 * HOUR
    arrivals: list[Arrival] = []
    for source, mine in by_source.items():
        arrivals += _of_source(random, source, mine, end, late=late)
    return arrivals


def _of_source(random: Random, source: str, events: list[Body], end: int, *, late: bool) -> list[Arrival]:
    """Records a little out of order, some sent twice; between them the sender's word, true unless ``late``."""
    places = [(_when(event) + random.randrange(10 * MINUTE), number) for number, event in enumerate(events)]
    if late:
        share = (0.1, 0.9)  # of the records of a case that is in time, and of one that is late
        slow = {case: random.random() < 0.3 for case in sorted({event["case_id"] for event in events})}
        places = [(place + 2 * HOUR * (random.random() < share[slow[events[number]["case_id"]]]), number) for place, number in places]
    sequence: list[tuple[int, Body]] = []
    for at, number in sorted(places):
        sequence.append((at, events[number]))
        if random.random() < 0.08:
            sequence.append((at, events[number]))
    arrivals: list[Arrival] = []
    remaining = [_when(event) for _, event in sequence]
    for number, (at, event) in enumerate(sequence):
        if random.random() < 0.3:
            up_to = _when(event) - 10 * MINUTE if late else min(remaining[number:]) - 1
            arrivals.append(_word(source, at, up_to))
        arrivals.append(Arrival(at, source, msgspec.json.encode(event)))
    arrivals += [_word(source, up_to, up_to) for up_to in (*range(end - 29 * HOUR, end - 19 * HOUR, 150 * MINUTE), end)]
    return arrivals


def _word(source: str, at: int, up_to: int) -> Arrival:
    return Arrival(at, source, msgspec.json.encode({"type": "source.progress", "up_to": up_to}), progress=True)

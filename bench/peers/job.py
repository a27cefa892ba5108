"""The job itself: events, windows and their results. Standard library only: every contender's environment imports it.

Durations are whole milliseconds, so that sums are exact and results can be compared for equality.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import ceil, log
from random import Random
from typing import Any

PARTITIONS = 4
QUEUES = (
    *("billing", "delivery", "returns", "accounts", "payments", "technical"),
    *("warranty", "feedback", "bookings", "partners", "security", "orders"),
)
CHANNELS = ("phone", "email", "chat", "social", "portal")
GROUPS = tuple((queue, channel) for queue in QUEUES for channel in CHANNELS)

FIRST_INSTANT = 1_767_225_600_000
EVENTS_PER_MINUTE = 5_953
"""500,000 events are 84 minutes, so 5,040 windows of about 100 events."""
WINDOW_MS = 60_000
LATE_SHARE = 0.02
LATEST_MS = 30_000
WITHIN_MS = 60_000

GAMMA = 1.02
PER_LOG_GAMMA = 1 / log(GAMMA)
"""``int(log(duration) * PER_LOG_GAMMA)`` is the bucket of a duration: each is 2 % wide."""

SEED = 11

Group = tuple[str, str]
Window = tuple[str, str, int]
"""Queue, channel and the minute (since the epoch) at which it begins."""
Row = list[int]
"""Count, sum, longest, p90 (lower bound of its bucket) in ms, number within 60 s. Mean and share are two quotients of these."""
Accumulator = list[Any]
"""Count, sum, longest, number within 60 s, events by bucket: what a window needs to be updated."""


def events(count: int, seed: int = SEED) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, JSON) in the order of arrival: 2 % up to 30 s late in event time. The key is the group.

    A group's events all stand in one partition, and groups spread evenly: so peers with keyed state need no repartition topic.
    """
    random = Random(seed)
    for number in range(count):
        at = FIRST_INSTANT + number * WINDOW_MS // EVENTS_PER_MINUTE
        if random.random() < LATE_SHARE:
            at = max(FIRST_INSTANT, at - int(random.random() * LATEST_MS))
        group = int(random.random() * len(GROUPS))
        queue, channel = GROUPS[group]
        duration = int(random.lognormvariate(10.4, 1.1)) + 1
        value = (
            b'{"event_id":"e-%010d","type":"contact.responded","occurred_at":%d,"case_id":"c-%07d","queue":"%s","channel":"%s",'
            b'"agent":"agent-%03d","duration_ms":%d}'
            % (number, at, number * 7919 % 10_000_000, queue.encode(), channel.encode(), number % 997, duration)
        )
        yield group % PARTITIONS, b"%s/%s" % (queue.encode(), channel.encode()), value


def empty() -> Accumulator:
    """A window before its first event."""
    return [0, 0, 0, 0, {}]


def fold(accumulator: Accumulator, duration: int) -> Accumulator:
    """Add one event in place, buckets by number. Contenders may write this inline."""
    accumulator[0] += 1
    accumulator[1] += duration
    if duration > accumulator[2]:  # noqa: PLR1730 - a call of max() costs more
        accumulator[2] = duration
    if duration <= WITHIN_MS:
        accumulator[3] += 1
    bucket = int(log(duration) * PER_LOG_GAMMA)
    buckets = accumulator[4]
    buckets[bucket] = buckets.get(bucket, 0) + 1
    return accumulator


def fold_named(accumulator: Accumulator, duration: int) -> Accumulator:
    """As ``fold``, buckets by name, for state that is kept as JSON."""
    accumulator[0] += 1
    accumulator[1] += duration
    if duration > accumulator[2]:  # noqa: PLR1730 - a call of max() costs more
        accumulator[2] = duration
    if duration <= WITHIN_MS:
        accumulator[3] += 1
    bucket = str(int(log(duration) * PER_LOG_GAMMA))
    buckets = accumulator[4]
    buckets[bucket] = buckets.get(bucket, 0) + 1
    return accumulator


def row(accumulator: Accumulator) -> Row:
    """The result of a window."""
    count, total, longest, within, buckets = accumulator
    return [count, total, longest, p90(buckets, count), within]


def p90(buckets: dict[Any, int], count: int) -> int:
    """Lower bound (ms) of the bucket that holds the event of rank ``ceil(0.9 * count)``."""
    left = ceil(0.9 * count)
    for bucket in sorted(buckets, key=int):
        left -= buckets[bucket]
        if left <= 0:
            return int(GAMMA ** int(bucket))
    raise ValueError("a percentile of nothing")


def window_key(queue: str, channel: str, minute: int) -> bytes:
    """Key of a window in the output topic."""
    return f"{queue}/{channel}@{minute}".encode()


def window_of(key: bytes) -> Window:
    """The window of an output record."""
    group, _, minute = key.decode().rpartition("@")
    queue, _, channel = group.partition("/")
    return queue, channel, int(minute)


def truth(values: Iterable[bytes]) -> dict[Window, Row]:
    """The oracle: a plain batch computation over all events at once, in no way incremental."""
    durations: dict[Window, list[int]] = {}
    for value in values:
        event = json.loads(value)
        durations.setdefault((event["queue"], event["channel"], event["occurred_at"] // WINDOW_MS), []).append(event["duration_ms"])
    return {window: _batch(sorted(found)) for window, found in durations.items()}


def _batch(ordered: list[int]) -> Row:
    ninetieth = ordered[ceil(0.9 * len(ordered)) - 1]
    bound = int(GAMMA ** int(log(ninetieth) * PER_LOG_GAMMA))
    return [len(ordered), sum(ordered), ordered[-1], bound, sum(1 for duration in ordered if duration <= WITHIN_MS)]

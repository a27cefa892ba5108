"""The peers' job: its events are what its description says, and folding them one by one gives what the oracle computes at once."""

from __future__ import annotations

import json
from collections import defaultdict

from bench.peers import job

EVENTS = list(job.events(12_000))
BODIES = [json.loads(value) for _, _, value in EVENTS]


def test_an_event_has_about_181_bytes() -> None:
    assert round(sum(len(value) for _, _, value in EVENTS) / len(EVENTS)) == 181


def test_the_events_are_the_same_every_time() -> None:
    assert list(job.events(100)) == EVENTS[:100]


def test_two_per_cent_are_late_and_none_by_more_than_thirty_seconds() -> None:
    newest, late, latest = 0, 0, 0
    for body in BODIES:
        newest = max(newest, body["occurred_at"])
        late += body["occurred_at"] < newest
        latest = max(latest, newest - body["occurred_at"])
    assert 0.015 < late / len(BODIES) < 0.025
    assert 20_000 < latest <= job.LATEST_MS


def test_all_events_of_a_group_stand_in_one_partition_and_all_partitions_have_groups() -> None:
    partitions = defaultdict(set)
    for (partition, key, _), body in zip(EVENTS, BODIES, strict=True):
        assert key.decode() == f"{body['queue']}/{body['channel']}"
        partitions[key].add(partition)
    assert len(partitions) == len(job.GROUPS) == 60
    assert all(len(found) == 1 for found in partitions.values())
    assert set.union(*partitions.values()) == set(range(job.PARTITIONS))


def test_half_a_million_events_are_five_thousand_and_forty_windows() -> None:
    minutes = -(-500_000 // job.EVENTS_PER_MINUTE)
    assert minutes * len(job.GROUPS) == 5_040


def test_folding_event_by_event_gives_the_oracles_rows() -> None:
    windows: dict[job.Window, job.Accumulator] = {}
    named: dict[job.Window, job.Accumulator] = {}
    for body in BODIES:
        window = (body["queue"], body["channel"], body["occurred_at"] // job.WINDOW_MS)
        job.fold(windows.setdefault(window, job.empty()), body["duration_ms"])
        job.fold_named(named.setdefault(window, job.empty()), body["duration_ms"])
    truth = job.truth(value for _, _, value in EVENTS)
    assert {window: job.row(found) for window, found in windows.items()} == truth
    assert {window: job.row(json.loads(json.dumps(found))) for window, found in named.items()} == truth


def test_a_row_by_hand() -> None:
    accumulator = job.empty()
    for duration in (1, 2, 3, 4, 5, 6, 7, 8, 60_000, 60_001):
        job.fold(accumulator, duration)
    count, total, longest, p90, within = job.row(accumulator)
    assert (count, total, longest, within) == (10, 120_037, 60_001, 9)
    assert 60_000 / job.GAMMA < p90 <= 60_000  # the ninth of ten, down to the bound of its bucket


def test_an_event_at_the_end_of_a_window_belongs_to_the_next() -> None:
    def event(at: int) -> bytes:
        return json.dumps({"queue": "billing", "channel": "chat", "occurred_at": at, "duration_ms": 1}).encode()

    assert set(job.truth([event(119_999), event(120_000)])) == {("billing", "chat", 1), ("billing", "chat", 2)}


def test_a_windows_key_names_it() -> None:
    window = ("billing", "chat", 29_453_760)
    assert job.window_of(job.window_key(*window)) == window

"""Records of every topic, from one run of the real processors over made-up traffic, duplicates, conflicts and bad input."""

from __future__ import annotations

from functools import cache

from stream_app.feeds.simulator import SimulatedFeed
from tests.support.pipeline import DEFINITIONS, Pipeline

EVENTS = 4_000
BAD = (b"no json", b"{}", b'{"type": "contact.opened", "occurred_at": "yesterday", "case_id": "c"}', b"\x00\x01")


@cache
def traffic() -> Pipeline:
    """The pipeline after the run; its topics hold everything that was written. Read only."""
    pipeline = Pipeline(definitions={**DEFINITIONS, "fast_tier": True, "horizon_s": 2 * 86_400})
    for value in BAD:
        pipeline.feed("contacts", value)
    feed = SimulatedFeed(7, EVENTS)
    for number, event in enumerate(feed.events()):
        pipeline.feed(event.topic, event.event)
        if number % 50 == 0:
            pipeline.feed(event.topic, {**event.event, "occurred_at": event.occurred_at + 1})
        if number % 500 == 0:
            pipeline.declare(event.occurred_at - 60_000)
            pipeline.drain()
    pipeline.declare(feed.outline().last_instant)
    for _ in range(100):
        pipeline.drain()
    return pipeline

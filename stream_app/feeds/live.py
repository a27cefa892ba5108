"""Simulated traffic as it happens, into a running pipeline."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stream_app.feeds.feed import FeedEvent, FeedOutline
from stream_app.feeds.replay import ReplayPlan, Sent, replay
from stream_app.feeds.simulator.simulation import live_simulator
from stream_app.kafka_access.security import PLAIN, ClientSecurity


@dataclass(frozen=True, kw_only=True)
class LivePlan:
    """``rate`` in events per second; ``history_ms`` of traffic is sent at once, before now; ``seconds`` None: for ever."""

    rate: float
    haste: float = 60.0
    history_ms: int = 0
    seconds: float | None = None
    seed: int | None = None


class LiveFeed:
    """Traffic from some time ago on, in real time from now on. Read once."""

    name = "live"
    simulated = True
    zone = "UTC"

    def __init__(self, plan: LivePlan, now: int) -> None:
        self.plan = plan
        self.now = now

    def events(self) -> Iterator[FeedEvent]:
        plan = self.plan
        start = self.now - plan.history_ms
        events = live_simulator(start if plan.seed is None else plan.seed, plan.rate, start, haste=plan.haste).events()
        if plan.seconds is None:
            return events
        end = self.now + int(plan.seconds * 1000)
        return itertools.takewhile(lambda event: event.occurred_at <= end, events)

    def outline(self) -> FeedOutline:
        """Where it begins; there is no end to speak of."""
        return FeedOutline(0, self.now - self.plan.history_ms, self.now, self.now)


async def simulate_live(bootstrap: str, topics: Mapping[str, str], plan: LivePlan, security: ClientSecurity = PLAIN) -> Sent:
    """Send until cancelled or the time is over. Progress is not declared: a live pipeline tells its own time.

    Raises what ``replay`` does.
    """
    feed = LiveFeed(plan, int(time.time() * 1000))
    return await replay(feed, bootstrap, ReplayPlan(topics=topics, speed=1.0, declare=False, paced_from=feed.now), security=security)

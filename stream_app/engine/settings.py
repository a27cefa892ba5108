"""Settings of the batch engine; every key has a default that is right for one machine and one broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stream_app.kafka_access.security import PLAIN, ClientSecurity


def default_topic_name(logical: str) -> str:
    """The real name of a logical topic under the default prefix; inputs keep their own names."""
    inputs = {"contacts", "resolutions", "surveys"}
    return logical if logical in inputs else f"deskpulse.{logical}"


@dataclass(frozen=True)
class EngineSettings:
    """What the engine needs to know beside its processors. Durations are seconds, sizes are bytes.

    ``topic`` turns a logical topic name (``events``) into the one on the broker. ``outputs`` lists every
    logical topic that a processor may write to: all of them must exist at start. ``security`` goes to every
    aiokafka client as it is (``stream_app.kafka_access.security``).
    """

    bootstrap_servers: str = "127.0.0.1:9092"
    group_id: str = "deskpulse"
    topic: Callable[[str], str] = default_topic_name
    inputs: tuple[str, ...] = ("contacts", "resolutions", "surveys")
    panes: str = "panes"
    published: tuple[str, ...] = ("kpi-windows", "kpis")
    outputs: tuple[str, ...] = (
        "events",
        "customer-log",
        "panes",
        "kpis",
        "kpi-windows",
        "case-events",
        "sla-events",
        "cases",
        "dead-letters",
    )

    publish_interval: float = 0.1
    checkpoint_interval: float = 1.0
    #: The longest time between two checkpoints, and between two publications of Rollup, while event time passes so fast
    #: that nobody can follow.
    catching_up_interval: float = 8.0
    mark_interval: float = 0.25
    rollup_interval: float = 0.25
    #: The same when nothing comes, time stands still and rows wait.
    rollup_behind_interval: float = 0.005
    #: How often the active Rollup asks whether its topics reach further than it has written.
    foreign_interval: float = 1.0

    #: Records handed to a processor in one synchronous step; the event loop breathes in between.
    slice_records: int = 2_000
    #: Largest batch to produce. Below the broker's default ``message.max.bytes`` (1,048,588).
    batch_bytes: int = 900_000
    #: Unacknowledged bytes above which nothing new is handled.
    outstanding_bytes: int = 16_000_000
    fetch_bytes: int = 1_048_576
    #: How long the broker holds an empty fetch: the latency floor while some partitions are silent.
    fetch_wait: float = 0.015
    #: With less than this the broker holds a fetch for ``fetch_wait``: few large batches instead of many small ones.
    fetch_least_bytes: int = 32_768
    #: How long one produced batch is tried again while its broker is away, before the process ends.
    delivery_timeout: float = 900.0
    request_timeout: float = 40.0

    session_timeout: float = 20.0
    heartbeat_interval: float = 3.0
    rebalance_timeout: float = 60.0
    #: Time for the last checkpoint when partitions are taken away; beyond it the process ends.
    revoke_timeout: float = 30.0
    #: Time for the last checkpoint of a clean stop; beyond it the process ends with a failure instead.
    last_checkpoint_timeout: float = 7.0
    #: Time for Faust to leave its group after the last checkpoint of a clean stop.
    stop_timeout: float = 2.5
    #: No progress of the event loop, the fetcher or a handler for this long ends the process.
    stall_timeout: float = 60.0

    security: ClientSecurity = field(default_factory=lambda: PLAIN)

"""Every section and key of the configuration, with its default and its meaning.

The defaults alone are a working system on one machine. Durations are ``timedelta``; written as ``"15m"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stream_app.settings.definitions import definitions_body
from stream_app.settings.fields import section, setting
from stream_app.settings.kafka_schema import KafkaSettings

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)

DIMENSIONS = ("queue", "channel", "priority", "team")
SLA_METRICS = ("first_reply", "resolution")
PAUSABLE_STATUSES = ("pending_customer", "pending_third_party", "on_hold")


@dataclass(frozen=True, kw_only=True)
class InputSettings:
    """One input topic. The name of the table is its logical name, the one that stands in progress marks and metrics."""

    topic: str = setting("", "Topic on the broker; empty: the name of this table.")
    partitions: int = setting(
        4,
        "Partitions that `topics create` gives it. A topic that exists already keeps its own count, which is used.",
        minimum=1,
        maximum=1024,
    )
    progress: str = setting(
        "wall",
        """Who says that a quiet partition is complete. `wall`: our clock, once everything acknowledged has been read.
        `declared`: only the sender's own `source.progress` events (replays, exports, connectors that can).""",
        choices=("wall", "declared"),
    )
    delay: timedelta = setting(
        timedelta(seconds=1),
        """With `progress = "wall"`: how far behind our clock a quiet partition is taken to be complete. At least the
        polling interval of the connector that fills the topic, or its events come late.""",
        minimum=timedelta(),
        maximum=_DAY,
    )
    mapping: str = setting(
        "",
        """File that says what this topic's messages mean, looked for beside this one (`docs/how-to/map-your-events.md`);
        empty: they are events of the input contract as they are.""",
    )
    enabled: bool = setting(True, "`false` takes an input out of the pipeline, which then no longer waits for it.")


def default_inputs() -> dict[str, InputSettings]:
    """The three usual topics."""
    return {name: InputSettings(topic=name) for name in ("contacts", "resolutions", "surveys")}


@dataclass(frozen=True, kw_only=True)
class TimeSettings:
    """How event time moves on, and how long anything is remembered."""

    allowance: timedelta = setting(
        timedelta(seconds=5),
        "How much out of order the events of one partition may be before they count as late.",
        minimum=timedelta(),
        maximum=_DAY,
    )
    horizon: timedelta = setting(
        timedelta(days=35),
        "Everything older is forgotten: cases, ids, panes. An older event is counted as too late. Longer needs memory.",
        minimum=_DAY,
        maximum=timedelta(days=3660),
        whole=_SECOND,
    )
    ahead_limit: timedelta = setting(
        timedelta(hours=6),
        "A partition that is read further than this ahead of the slowest one waits for it.",
        minimum=timedelta(minutes=1),
    )
    simulated: bool = setting(False, "The input is made up (demo, simulator): every progress mark and the board say so.")


@dataclass(frozen=True, kw_only=True)
class DimensionSettings:
    """Values that become groups of their own. A list keeps them closed: whatever it does not name becomes `other`."""

    queue: tuple[str, ...] | None = setting(None, "Queues. No list: the first `cap` values seen.")
    channel: tuple[str, ...] | None = setting(None, "Channels.")
    priority: tuple[str, ...] | None = setting(None, "Priorities.")
    team: tuple[str, ...] | None = setting(None, "Teams.")
    route: tuple[str, ...] | None = setting(None, "Routes a survey is sent by, such as `email` or `ivr`.")
    cap: int = setting(200, "Most values of a dimension without a list; further ones become `other`.", minimum=1, maximum=10_000)


@dataclass(frozen=True, kw_only=True)
class KpiSettings:
    """What is counted how, and for which groups and windows it is published."""

    zone: str = setting("UTC", "IANA time zone in which days begin, such as `Europe/Berlin`.")
    grouping_sets: tuple[tuple[str, ...], ...] = setting(
        ((), ("queue",), ("channel",), ("priority",), ("queue", "channel")),
        """For which combinations of `queue`, `channel`, `priority` and `team` every KPI is published; `[]` is the total.
        Each one multiplies the published rows.""",
    )
    queued_channels: tuple[str, ...] = setting(
        ("phone", "chat"), "Channels in which customers wait in a line: only these have service level and abandonment."
    )
    service_level_target: timedelta = setting(
        timedelta(seconds=20), "An answer within this time meets the service level.", minimum=_SECOND, whole=_SECOND
    )
    short_abandon: timedelta = setting(
        timedelta(seconds=5),
        "A caller who leaves sooner is not counted as abandoned, but shown apart.",
        minimum=timedelta(),
        whole=_SECOND,
    )
    repeat_window: timedelta = setting(
        timedelta(days=7),
        "A contact of the same customer for the same reason within this time means the first one did not resolve it.",
        minimum=_DAY,
        maximum=timedelta(days=30),
        whole=_DAY,
    )
    reopen_window: timedelta = setting(
        timedelta(days=7),
        "A case opened again within this time after its first resolution counts as reopened.",
        minimum=_DAY,
        maximum=timedelta(days=30),
        whole=_DAY,
    )
    live_windows: bool = setting(
        True, "Keep the 10 s slices behind the sliding windows of 5 to 60 minutes. A replay of years does not need them."
    )
    final_windows: tuple[str, ...] = setting(
        ("hour", "day"),
        """Windows whose rows are published once and for all when they are over (`kpi-windows`). Hours are 24 times
        the rows of days: a replay of years may do without them.""",
        choices=("hour", "day"),
    )
    span: bool = setting(False, "Also publish one row over everything there is (replays, oracles).")


_DEFAULT_TARGETS = {
    "first_reply": {
        "urgent": timedelta(minutes=15),
        "high": timedelta(hours=1),
        "normal": timedelta(hours=4),
        "low": timedelta(hours=8),
        "default": timedelta(hours=4),
    },
    "resolution": {
        "urgent": timedelta(hours=4),
        "high": timedelta(hours=8),
        "normal": timedelta(days=2),
        "low": timedelta(days=5),
        "default": timedelta(days=2),
    },
}


@dataclass(frozen=True, kw_only=True)
class SlaSettings:
    """Targets by priority, round the clock."""

    targets: dict[str, dict[str, timedelta]] = setting(
        _DEFAULT_TARGETS,
        """Per metric (`first_reply`, `resolution`) and priority the time a case has. `default` is for priorities not
        named; without it they have no clock. A metric that is given here replaces all of its defaults.""",
        minimum=_SECOND,
        whole=_SECOND,
    )
    pause_statuses: tuple[str, ...] = setting(
        ("pending_customer",),
        "Statuses in which the resolution clock stands still. The first reply is never paused.",
        choices=PAUSABLE_STATUSES,
    )
    warn_percent: int = setting(75, "A clock is at risk from this share of its target on.", minimum=1, maximum=99)


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How the workers move data. The defaults suit most; each names what a change costs."""

    checkpoint_interval: timedelta = setting(
        _SECOND,
        """How often state is written and committed; in a backlog less often, up to every 8 s. Longer: less written, more replayed
        after a crash.""",
        minimum=50 * _MILLISECOND,
        maximum=timedelta(minutes=5),
    )
    publish_interval: timedelta = setting(
        timedelta(milliseconds=50),
        """How often changed numbers are published. This is most of the delay from event to screen.
        Windows longer than an hour, final rows and the watermark follow with the checkpoints, or after 2 s at the latest; in a backlog
        everything follows with the checkpoints only.""",
        minimum=20 * _MILLISECOND,
        maximum=timedelta(minutes=5),
    )
    mark_interval: timedelta = setting(
        timedelta(milliseconds=250),
        "How often Intake writes progress marks. Timers can not fire more often.",
        minimum=20 * _MILLISECOND,
        maximum=timedelta(minutes=1),
    )
    session_timeout: timedelta = setting(
        timedelta(seconds=10),
        "A worker that is silent for this long loses its partitions to the others.",
        minimum=timedelta(seconds=2),
        maximum=timedelta(minutes=5),
    )
    fetch_wait: timedelta = setting(
        timedelta(milliseconds=15),
        """How long the broker may hold back an answer with less than 32 KiB. The embedded broker needs `10ms`: it does not
        wake up for new data.""",
        minimum=_MILLISECOND,
        maximum=timedelta(seconds=10),
    )
    stall_timeout: timedelta = setting(
        timedelta(seconds=60),
        "A worker with work to do that makes no progress for this long exits, so that another takes over.",
        minimum=timedelta(seconds=5),
    )
    compaction_lag: timedelta = setting(
        timedelta(hours=1),
        "`min.compaction.lag.ms` of the compacted topics. Workers write every live key again within half of it.",
        minimum=timedelta(minutes=1),
        whole=_SECOND,
    )
    row_cap_bytes: int = setting(
        262_144,
        "Largest size of one case or customer. A full one takes no further events, which is counted.",
        minimum=4096,
        maximum=900_000,
    )


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """Where a worker answers `/metrics`, `/healthz` and `/readyz`."""

    host: str = setting("127.0.0.1", "Address to listen on. Any but loopback needs `token_file`, or the worker refuses to start.")
    port: int = setting(9464, "Port; 0 takes a free one.", minimum=0, maximum=65_535)
    token_file: Path | None = setting(None, "File with the token that callers send as `Authorization: Bearer …`; 16 characters at least.")


@dataclass(frozen=True, kw_only=True)
class BoardSettings:
    """The wall board's web server."""

    host: str = setting("127.0.0.1", "Address to listen on. Any but loopback needs `token_file`, or the board refuses to start.")
    port: int = setting(8088, "Port; 0 takes a free one.", minimum=0, maximum=65_535)
    name: str = setting("Support", "Title of the board.")
    token_file: Path | None = setting(None, "File with the token that viewers need; 16 characters at least.")
    goals: dict[str, float] = setting(
        {},
        "Per KPI id the value that it should reach, in the KPI's own unit: `service_level = 0.8`. Tiles are judged by it.",
    )


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """What the processes say about themselves. Never what is in an event."""

    level: str = setting("info", "Least severity that is written.", choices=("debug", "info", "warning", "error"))
    format: str = setting("text", "`text` for people, `json` for log collectors (one object per line).", choices=("text", "json"))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole configuration, checked. Made by ``load_settings``."""

    kafka: KafkaSettings = section(KafkaSettings)
    inputs: dict[str, InputSettings] = section(default_inputs)
    time: TimeSettings = section(TimeSettings)
    dimensions: DimensionSettings = section(DimensionSettings)
    kpis: KpiSettings = section(KpiSettings)
    sla: SlaSettings = section(SlaSettings)
    engine: EngineSettings = section(EngineSettings)
    metrics: MetricsSettings = section(MetricsSettings)
    board: BoardSettings = section(BoardSettings)
    log: LogSettings = section(LogSettings)

    def active_inputs(self) -> dict[str, InputSettings]:
        """The inputs that are read, by logical name."""
        return {name: given for name, given in self.inputs.items() if given.enabled}

    def topic(self, logical_name: str) -> str:
        """Name on the broker of one of our topics or of an input."""
        if logical_name in self.inputs:
            return self.inputs[logical_name].topic or logical_name
        return f"{self.kafka.topic_prefix}.{logical_name}"

    def group(self, processor: str) -> str:
        """Consumer group of a processor."""
        return f"{self.kafka.group_prefix}-{processor}"

    def definitions(self) -> dict[str, object]:
        """The body of a ``Definitions`` record: what all workers must agree on."""
        return definitions_body(self)

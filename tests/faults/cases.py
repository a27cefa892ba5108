"""All cases, in the order of their value."""

from __future__ import annotations

from tests.faults import brokers, inputs, kills, network, states
from tests.faults.scene import Case

_SHORT_STALL = {"DESKPULSE_ENGINE__STALL_TIMEOUT": "5s"}
_KILLS = (
    Case(name="kill-1", number="1", kind="kill", fault="kill -9 at random moments, one worker", inject=kills.kill_at_random, seconds=90),
    Case(
        name="kill-3", number="1", kind="kill", fault="kill -9 at random moments, three workers",
        inject=kills.kill_at_random, workers=3, events=30_000, seconds=90,
    ),
    Case(
        name="kill-points", number="1", kind="points", fault="kill -9 at named points, twice each: between panes, rows, marker and commit, in Intake, Rollup and recovery",
        inject=kills.kill_at_points, starts=False, seconds=110, quick=True,
    ),
    Case(
        name="kill-points-3", number="1", kind="points", fault="kill -9 at named points beside three healthy workers",
        inject=kills.kill_at_points_among_others, workers=3, seconds=90,
    ),
    Case(
        name="membership", number="2", kind="membership", fault="workers join, leave and die in turn, 1 → 3 → 1",
        inject=kills.join_leave_die, seconds=60, quick=True,
    ),
    Case(
        name="freeze", number="3", kind="freeze", fault="SIGSTOP past the session, SIGCONT, everybody dies, a fresh worker recovers",
        inject=kills.freeze_and_wake, seconds=60, quick=True,
    ),
    Case(
        name="compaction", number="3", kind="compaction", fault="a zombie's writes, then forced compaction of every compacted topic, then a fresh recovery",
        inject=states.compacted_under_a_zombie, starts=False, seconds=130,
    ),
    Case(
        name="sends-fail", number="4", kind="sends", fault="the broker refuses a write for good",
        inject=states.sends_fail, seconds=20, quick=True,
    ),
)
_BROKERS = (
    Case(name="broker-killed", number="5", kind="broker", fault="broker: kill -9 and restart", inject=brokers.killed, stage="own", seconds=50, quick=True),
    Case(name="broker-killed-3", number="5", kind="broker", fault="broker: kill -9 and restart, three workers", inject=brokers.killed, workers=3, stage="own", seconds=60),
    Case(name="broker-paused", number="5", kind="broker", fault="broker: stands still for 30 s", inject=brokers.paused, stage="own", seconds=50),
    Case(
        name="broker-absent", number="5", kind="broker", fault="broker: absent at start", inject=brokers.absent, stage="own", starts=False, holds_load=True, seconds=10,
    ),
    Case(
        name="broker-lost", number="5", kind="cluster", fault="brokers: one of three lost, each in turn",
        inject=brokers.one_of_three_lost, stage="cluster", workers=2, seconds=80,
    ),
    Case(name="disk-full", number="24", kind="disk", fault="the broker's disk is full", inject=brokers.disk_full, stage="small disk", seconds=30),
)
_NETWORK = (
    Case(name="network-cut", number="6", kind="network", fault="network: cut", inject=network.cut, stage="proxied", seconds=50, quick=True),
    Case(name="network-stall", number="4, 6", kind="network", fault="network: nothing comes through", inject=network.stall, stage="proxied", seconds=50),
    Case(name="network-latency", number="6", kind="network", fault="network: slow", inject=network.latency, stage="proxied", seconds=35),
    Case(name="network-reset", number="6", kind="network", fault="network: connections reset", inject=network.reset, stage="proxied", workers=2, seconds=30),
    Case(name="slow-output", number="15", kind="slow", fault="slow output under the whole load at once", inject=network.slow_output, stage="proxied", events=40_000, seconds=60),
)
_INPUTS = (
    Case(name="bad-bytes", number="7, 10, 11", kind="input", fault="bad messages of every kind, null keys and values, future times", inject=inputs.bad_bytes, workers=2, seconds=20, quick=True),
    Case(name="bad-bytes-kills", number="7, 1", kind="input", fault="bad messages while workers die", inject=inputs.bad_bytes_and_kills, workers=2, seconds=40),
    Case(name="again", number="8", kind="input", fault="same id same content, same id other content", inject=inputs.again, workers=2, seconds=20),
    Case(name="late", number="9", kind="input", fault="events hours and days behind what was declared", inject=inputs.nothing, feed=inputs.Late, late=True, seconds=20),
    Case(name="one-queue", number="12", kind="input", fault="90 % of the load on one queue", inject=inputs.nothing, feed=inputs.OneQueue, workers=2, seconds=15),
    Case(
        name="hot-case", number="12", kind="input", fault="one case with very many events: its row is full", inject=inputs.hot_case,
        environment={"DESKPULSE_ENGINE__ROW_CAP_BYTES": "65536"}, seconds=20,
    ),
    Case(name="handler-once", number="14", kind="handler", fault="a handler raises on one case", inject=inputs.handler_fails_once, starts=False, left_out=inputs.POISON, seconds=15),
    Case(name="handler-always", number="14", kind="handler", fault="a handler always raises", inject=inputs.handler_fails_always, seconds=25, quick=True),
)
_STATE = (
    Case(name="mismatch", number="13", kind="refusal", fault="partition counts do not match", inject=states.mismatch, starts=False, holds_load=True, seconds=10, quick=True),
    Case(name="corrupt", number="16", kind="corrupt", fault="changelog records that cannot be read", inject=states.corrupt, seconds=90, quick=True),
    Case(name="downtime", number="17", kind="downtime", fault="no worker past many deadlines, then the backlog", inject=kills.downtime, seconds=24, quick=True),
    Case(name="hang", number="20", kind="hang", fault="a handler hangs; another worker takes over", inject=kills.hang, seconds=35, environment=_SHORT_STALL, quick=True),
    Case(name="hang-alone", number="20", kind="hang", fault="a handler hangs; nobody else is there", inject=kills.hang_alone, seconds=35, environment=_SHORT_STALL),
    Case(name="terminate", number="21", kind="terminate", fault="SIGTERM under load", inject=kills.terminate, seconds=40, quick=True),
    Case(name="recovery", number="23", kind="recovery", fault="a slow recovery, watched from outside", inject=states.recovery, stage="proxied", events=30_000, seconds=25, quick=True),
    Case(name="retention", number="25", kind="refusal", fault="the input's retention passed while down", inject=states.retention_passed, ends_in_refusal=True, seconds=20),
    Case(name="log-anew", number="25", kind="refusal", fault="the canonical log was deleted and made anew", inject=states.log_made_anew, ends_in_refusal=True, seconds=20),
)

CASES = {case.name: case for case in (*_KILLS, *_BROKERS, *_NETWORK, *_INPUTS, *_STATE)}

"""``deskpulse worker`` several times over, supervised."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from stream_app.health import web_address
from stream_app.settings import Settings
from stream_app.supervision.plan import metrics_ports, warnings
from stream_app.supervision.supervisor import Member, supervise

logger = logging.getLogger(__name__)

METRICS_PORT = "DESKPULSE_METRICS__PORT"


def run_workers(settings: Settings, processes: int) -> None:
    """Run so many workers on the same configuration and end the process with their exit code. Raises ``NoPortError``."""
    members = worker_members(settings, processes)
    for warning in warnings(processes, settings.kafka.log_partitions, usable_cores()):
        logger.warning("%s", warning, extra={"event": "too_many_processes"})
    sys.exit(asyncio.run(supervise(members)))


def worker_members(settings: Settings, processes: int) -> list[Member]:
    """The workers to start, each with its own metrics address. Raises ``NoPortError``."""
    return [
        Member(
            name=f"worker {number}",
            command=(sys.executable, "-m", "stream_app.cli", "worker", "--member", str(number)),
            environment={METRICS_PORT: str(port)},
            about=_metrics_address(settings.metrics.host, port),
        )
        for number, port in enumerate(metrics_ports(settings.metrics.port, processes))
    ]


def _metrics_address(host: str, port: int) -> str:
    if port == 0:
        return "metrics on a free port, which it names itself"
    return f"metrics on {web_address(host, port)}/metrics"


def usable_cores() -> int:
    """Cores that this process may use, where the system tells; else those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

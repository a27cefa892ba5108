"""Composition root of a worker: settings in, processors on the engine, one registry, one web server."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.intake import IntakeCodec, IntakeProcessor, IntakeSettings
from agents.rollup import RollupProcessor
from models.panes.windows import LIVE, SLIDING
from models.progress.sources import InputSource
from models.rollup.settings import RollupSettings
from stream_app.definitions import ensure_definitions
from stream_app.definitions.log import LOGS
from stream_app.engine import Engine, EngineSettings, ExitCode, RefusalError, create_engine, wait_for_access, wait_for_topics
from stream_app.engine.topics import changelog_problem
from stream_app.health import HealthServer
from stream_app.kafka_access.rights import worker_rights
from stream_app.kafka_access.security import AccessDeniedError, client_security, exposed_secrets
from stream_app.mapping.source import source_mappings
from stream_app.metrics.kpi_collector import KpiCollector
from stream_app.metrics.pipeline_collector import PipelineCollector
from stream_app.metrics.worker_view import EngineView
from stream_app.settings import Settings
from stream_app.wire import canonical
from stream_app.wire.dead_letters import dead_letter
from stream_app.wire.decoder import decode
from stream_app.wire.keyed import CASES, CUSTOMERS
from stream_app.wire.outputs import OutputsCodec

logger = logging.getLogger(__name__)

LIVE_PAIRS_PER_SECOND = 300
"""(group, window) pairs beside the total that Rollup looks at in a second: about a seventh of a core."""
HEARTBEAT_SECONDS = 3.0
"""Time between two signs of life to the group; a third of the session where that is shorter, or one late sign would end it."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Everything of one worker process, built and not yet started."""

    engine: Engine
    intake: IntakeProcessor
    rollup: RollupProcessor
    registry: CollectorRegistry


def create_app(settings: Settings, input_partitions: Mapping[str, int]) -> Worker:
    """Build a worker. ``input_partitions``: how many partitions each active input really has."""
    partitions = settings.kafka.log_partitions
    codec = IntakeCodec(decode, canonical.encode, dead_letter)
    intake = IntakeProcessor(intake_settings(settings, input_partitions), codec, source_mappings(settings))
    rollup = RollupProcessor(rollup_settings(settings), OutputsCodec())
    stateful = (CasesProcessor(partitions, CASES), CustomersProcessor(partitions, CUSTOMERS))
    engine = create_engine(engine_settings(settings), intake, stateful, rollup)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(PipelineCollector(EngineView(engine, intake)))
    registry.register(KpiCollector(rollup))
    return Worker(engine, intake, rollup, registry)


def intake_settings(settings: Settings, input_partitions: Mapping[str, int]) -> IntakeSettings:
    """What Intake needs of the configuration."""
    inputs = {
        name: InputSource(
            input_partitions[name],
            "declared" if given.progress == "declared" else "wall",
            round(given.delay.total_seconds() * 1000),
            settings.topic(name),
        )
        for name, given in settings.active_inputs().items()
    }
    return IntakeSettings(
        inputs,
        log_partitions=settings.kafka.log_partitions,
        allowance_ms=round(settings.time.allowance.total_seconds() * 1000),
        max_ahead_ms=round(settings.time.ahead_limit.total_seconds() * 1000),
        simulated=settings.time.simulated,
        writer=f"{socket.gethostname()}-{os.getpid()}",
    )


def rollup_settings(settings: Settings) -> RollupSettings:
    """What Rollup needs of the configuration."""
    return RollupSettings(
        partitions=settings.kafka.log_partitions,
        grouping_sets=settings.kpis.grouping_sets,
        zone=settings.kpis.zone,
        live=LIVE if settings.kpis.live_windows else tuple(window for window in LIVE if window not in SLIDING),
        closing=settings.kpis.final_windows,
        span=settings.kpis.span,
        horizon=round(settings.time.horizon.total_seconds() * 1000),
        live_budget=round(LIVE_PAIRS_PER_SECOND * settings.engine.publish_interval.total_seconds()) + 1,
    )


def engine_settings(settings: Settings) -> EngineSettings:
    """What the engine needs of the configuration."""
    engine = settings.engine
    return EngineSettings(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        group_id=f"{settings.kafka.group_prefix}-worker",
        topic=settings.topic,
        inputs=tuple(settings.active_inputs()),
        publish_interval=engine.publish_interval.total_seconds(),
        rollup_interval=engine.publish_interval.total_seconds(),
        checkpoint_interval=engine.checkpoint_interval.total_seconds(),
        mark_interval=engine.mark_interval.total_seconds(),
        fetch_wait=engine.fetch_wait.total_seconds(),
        request_timeout=settings.kafka.request_timeout.total_seconds(),
        session_timeout=engine.session_timeout.total_seconds(),
        heartbeat_interval=min(HEARTBEAT_SECONDS, engine.session_timeout.total_seconds() / 3),
        stall_timeout=engine.stall_timeout.total_seconds(),
        security=client_security(settings.kafka),
    )


async def work(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT; the exit code (``stream_app.engine.ExitCode``)."""
    preparing = asyncio.ensure_future(_prepare(settings))
    _on_signals(preparing.cancel)
    try:
        prepared = await preparing
    except asyncio.CancelledError:
        logger.info("asked to stop before the work had begun")
        return 0
    return prepared if isinstance(prepared, int) else await _serve(settings, prepared)


def _on_signals(stop: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _prepare(settings: Settings) -> Worker | int:
    """Wait for broker and topics and build the worker, or the exit code of a refusal."""
    engine = engine_settings(settings)
    for warning in exposed_secrets(settings.kafka):
        logger.warning("%s", warning, extra={"event": "exposed_secret"})
    try:
        await wait_for_access(engine, worker_rights(settings))
        counts = await wait_for_topics(engine, (*settings.active_inputs(), *LOGS, *LOGS.values()))
    except AccessDeniedError as error:
        return _refused(ExitCode.ACCESS_DENIED, str(error))
    except RefusalError as error:
        return _refused(error.code, str(error))
    refused = log_partitions_problem(settings, counts)
    if refused:
        return _refused(ExitCode.REFUSED, refused)
    await ensure_definitions(settings, engine)
    return create_app(settings, counts)


def log_partitions_problem(settings: Settings, counts: Mapping[str, int]) -> str:
    """Why these counts do not fit the configuration; empty if they do."""
    configured = settings.kafka.log_partitions
    for log, changelog in LOGS.items():
        if counts[log] != configured:
            return (
                f"{settings.topic(log)} has {counts[log]} partitions but kafka.log_partitions is {configured}. "
                f"The count is fixed at creation: set kafka.log_partitions = {counts[log]}, or use another kafka.topic_prefix"
            )
        if problem := changelog_problem(counts, log, changelog):
            return problem
    return ""


def _refused(code: ExitCode, reason: str) -> int:
    logger.critical("worker refuses to run (exit %d): %s", int(code), reason, extra={"event": "worker_refuses"})
    return int(code)


async def _serve(settings: Settings, worker: Worker) -> int:
    engine = worker.engine
    _on_signals(engine.stop)
    server = HealthServer(
        worker.registry,
        settings.metrics.host,
        settings.metrics.port,
        settings.metrics.token_file,
        not_ready=lambda: () if engine.ready else ("partitions are being assigned or recovered",),
    )
    await server.start()
    logger.info("metrics on %s/metrics", server.address)
    try:
        return int(await engine.run())
    finally:
        await server.stop()


def run_worker(settings: Settings) -> None:
    """Run a worker and end the process with its exit code."""
    sys.exit(asyncio.run(work(settings)))


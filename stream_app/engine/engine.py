"""The engine of one worker process: Faust's group and streams, the processors, their checkpoints, one clean end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic
from typing import Any, cast

import aiokafka
from faust.types import TP

from agents.ports import StatefulProcessor
from stream_app.engine import garbage
from stream_app.engine.assignment import Assignment
from stream_app.engine.durations import Durations
from stream_app.engine.failure import ExitCode, FailStop, RefusalError
from stream_app.engine.faust_app import EngineApp, add_agent, create_faust_app, follow_rebalances
from stream_app.engine.faust_transport import BatchConsumer
from stream_app.engine.outbox import Outbox
from stream_app.engine.processors import IntakeProcessor, RollupProcessor
from stream_app.engine.producer import start_producer
from stream_app.engine.settings import EngineSettings
from stream_app.engine.stateful import StatefulPartition
from stream_app.engine.topics import check_partition_counts, wait_for_topics
from stream_app.engine.watchdog import Watchdog
from stream_app.logs import error_words

logger = logging.getLogger(__name__)


def create_engine(
    settings: EngineSettings,
    intake: IntakeProcessor | None,
    stateful: Sequence[StatefulProcessor],
    rollup: RollupProcessor | None,
    *,
    fail: FailStop | None = None,
) -> Engine:
    """An engine that runs these processors; nothing is connected before ``run``."""
    return Engine(settings, intake, stateful, rollup, fail or FailStop())


class Engine:
    """One worker. ``run`` returns after ``stop`` (or never: failures end the process with an ``ExitCode``)."""

    def __init__(
        self,
        settings: EngineSettings,
        intake: IntakeProcessor | None,
        stateful: Sequence[StatefulProcessor],
        rollup: RollupProcessor | None,
        fail: FailStop,
    ) -> None:
        self.settings = settings
        self._intake = intake
        self._stateful = list(stateful)
        self._rollup = rollup
        self._fail = fail
        self._stopping = asyncio.Event()
        self._app: EngineApp | None = None
        self._assignment: Assignment | None = None
        self._outbox: Outbox | None = None

    # -- for metrics and health, readable at any time

    @property
    def ready(self) -> bool:
        """Assigned, recovered and open, and not on the way out."""
        return self._assignment is not None and self._assignment.ready and not self._stopping.is_set()

    @property
    def rollup_active(self) -> bool:
        """Whether this worker's Rollup is the one that publishes."""
        return self._assignment is not None and self._assignment.rollup is not None and self._assignment.rollup.open

    @property
    def skew_ms(self) -> int | None:
        """Broker clock minus local clock, None when unknown."""
        return self._outbox.skew_ms if self._outbox else None

    @property
    def outstanding_bytes(self) -> int:
        """Bytes sent and not acknowledged."""
        return self._outbox.outstanding if self._outbox else 0

    def partitions(self) -> list[StatefulPartition]:
        """The stateful partitions assigned now; ``.state`` is None until recovered."""
        return list(self._assignment.partitions.values()) if self._assignment else []

    def lags(self) -> dict[tuple[str, int], int]:
        """Records not yet handled, per logical topic and partition assigned here."""
        assignment = self._assignment
        if assignment is None:
            return {}
        lags = {(p.processor.log, p.partition): p.lag for p in assignment.partitions.values()}
        if assignment.intake is not None:
            logical = {self.settings.topic(name): name for name in self.settings.inputs}
            lags |= {(logical[tp.topic], tp.partition): lag for tp, lag in assignment.intake.lags.items()}
        if assignment.rollup is not None:
            lags |= {(self.settings.panes, p): lag for p, lag in assignment.rollup.lags.items()}
        return lags

    def records_handled(self) -> dict[str, int]:
        """Records handled since the start of this process, by kind of processor."""
        return dict(self._assignment.records_handled()) if self._assignment else {}

    def checkpoint_seconds(self) -> dict[str, Durations]:
        """Durations of checkpoints, by processor name."""
        return dict(self._assignment.checkpoint_seconds) if self._assignment else {}

    # -- life

    def stop(self) -> None:
        """Ask for a clean end; callable from a signal handler of the loop."""
        self._stopping.set()

    async def run(self) -> ExitCode:
        """Work until ``stop``. Answers ``CLEAN``, or the code of a refusal, which it has logged."""
        try:
            counts = await self._until_stopped(wait_for_topics(self.settings, self._topic_names()))
            if counts is None:
                return ExitCode.CLEAN
            check_partition_counts(counts, self._stateful)
            await self._work(counts)
        except RefusalError as refusal:
            logger.critical("worker refuses to run (exit %d): %s", int(refusal.code), str(refusal), extra={"event": "worker_refuses"})
            return refusal.code
        return ExitCode.CLEAN

    def _topic_names(self) -> list[str]:
        names = dict.fromkeys(self.settings.outputs)
        for processor in self._stateful:
            names |= dict.fromkeys((processor.log, processor.changelog))
        if self._intake is not None:
            names |= dict.fromkeys(self.settings.inputs)
        if self._rollup is not None:
            names |= dict.fromkeys((self.settings.panes, *self.settings.published))
        return list(names)

    async def _until_stopped(self, work: Any) -> Any:
        """The result of ``work``, or None when ``stop`` came first."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return None

    async def _work(self, counts: dict[str, int]) -> None:
        producer = await self._until_stopped(start_producer(self.settings))
        if producer is None:
            return
        self._outbox = Outbox(producer, self.settings.topic, counts, limit=self.settings.outstanding_bytes, failed=self._send_failed)
        app = self._app = create_faust_app(self.settings, self._fail)
        assignment = self._assignment = Assignment(
            self.settings, self._consumer, self._outbox, self._fail, self._intake, self._stateful, self._rollup
        )
        self._connect(app, assignment)
        watchdog = Watchdog(self._fail, self.settings.stall_timeout, self._stalled)
        watchdog.start()
        garbage.switch_off()
        collecting = asyncio.ensure_future(garbage.collect_regularly())
        started = asyncio.ensure_future(app.start())
        started.add_done_callback(self._faust_started)
        await self._stopping.wait()
        await self._close(app, assignment, producer, started)
        collecting.cancel()
        watchdog.stop()

    def _consumer(self) -> BatchConsumer:
        assert self._app is not None
        return cast("BatchConsumer", self._app.consumer)

    def _connect(self, app: EngineApp, assignment: Assignment) -> None:
        """Agents for every topic, and the rebalance signals of Faust."""
        for topic in assignment.topics():
            add_agent(app, topic, assignment.on_batch)

        async def assigned(tps: set[TP]) -> None:
            logger.info("assigned %d partitions", len(tps))
            if not self._stopping.is_set():
                assignment.assign(tps)

        async def revoked(tps: set[TP]) -> None:
            logger.info("revoked %d partitions", len(tps))
            await self._give_up(assignment, self.settings.revoke_timeout)

        follow_rebalances(app, assigned, revoked)

    async def _give_up(self, assignment: Assignment, seconds: float) -> None:
        """Close the assignment; it must succeed in time, as a half-written end would be a lie."""
        try:
            await asyncio.wait_for(assignment.close(), seconds)
        except BaseException as error:
            self._fail("the last checkpoint before giving partitions up failed", cause=error)
            raise

    def _send_failed(self, what: str, error: BaseException) -> None:
        self._fail(what, cause=error)

    def _faust_started(self, started: asyncio.Future[None]) -> None:
        if not started.cancelled() and started.exception() is not None and not self._stopping.is_set():
            self._fail("Faust could not start", cause=started.exception())

    def _stalled(self) -> str | None:
        """Why this worker counts as stuck, or None. Waiting for an absent broker is not being stuck."""
        app = self._app
        if app is None or self._stopping.is_set():
            return None
        if app.crashed:
            return f"Faust has crashed ({error_words(app.crash_reason)})"
        consumer = app.batch_consumer
        if consumer is None or not consumer.flow_active or app.rebalancing or self.outstanding_bytes:
            return None
        limit = monotonic() - self.settings.stall_timeout
        if (oldest := consumer.oldest_waiting()) is not None and oldest < limit:
            return f"a batch has waited for more than {self.settings.stall_timeout:.0f} s"
        if self._assignment is not None and self._assignment.assigned and consumer.polled_at < limit:
            return f"nothing was fetched for more than {self.settings.stall_timeout:.0f} s"
        return None

    async def _close(
        self, app: EngineApp, assignment: Assignment, producer: aiokafka.AIOKafkaProducer, started: asyncio.Future[None]
    ) -> None:
        """Last checkpoints and commits, then leave the group; the latter may be cut short, nothing depends on it."""
        await self._give_up(assignment, self.settings.last_checkpoint_timeout)
        logger.info("last checkpoints written and committed")
        try:
            async with asyncio.timeout(self.settings.stop_timeout):
                await app.stop()
                await producer.stop()
                await asyncio.gather(started, return_exceptions=True)
        except TimeoutError:
            self._fail("clean stop: everything is committed, Faust took too long to leave", ExitCode.CLEAN)

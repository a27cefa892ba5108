"""A worker process with the toy processors: ``python -m tests.support.toy_worker '{"bootstrap": …, "prefix": …}'``."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from typing import Any

from stream_app.engine import Engine, EngineSettings, create_engine
from tests.support.toy_processor import ToyIntake, ToyProcessor, ToyRollup
from tests.support.waiting import eventually_async

LOAD_EVERY_SECONDS = 0.02
OUTPUTS = ("events", "panes", "kpis", "kpi-windows", "case-events", "dead-letters")


def engine_settings(options: dict[str, Any]) -> EngineSettings:
    prefix = options["prefix"]
    return EngineSettings(
        bootstrap_servers=options["bootstrap"],
        group_id=prefix,
        topic=lambda name: f"{prefix}.{name}",
        inputs=("contacts",),
        outputs=OUTPUTS,
        **options.get("settings", {}),
    )


async def work(options: dict[str, Any]) -> int:
    engine = create_engine(
        engine_settings(options),
        ToyIntake() if options.get("intake") else None,
        [ToyProcessor(output=options.get("output", "case-events"))],
        ToyRollup() if options.get("rollup") else None,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.stop)
    reporters = [loop.create_task(report_ready(engine))]
    if options.get("report_load"):
        reporters.append(loop.create_task(report_load(engine)))
    code = await engine.run()
    for reporter in reporters:
        reporter.cancel()
    say("handled", engine.records_handled())
    return int(code)


async def report_ready(engine: Engine) -> None:
    async def ready() -> bool:
        return engine.ready

    await eventually_async(ready, within_seconds=600, what="readiness")
    say("ready")


async def report_load(engine: Engine) -> None:
    """Bytes sent and not acknowledged, and records that Intake has handled, again and again."""
    while True:
        say("load", engine.outstanding_bytes, engine.records_handled().get("intake", 0))
        await asyncio.sleep(LOAD_EVERY_SECONDS)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(asyncio.run(work(json.loads(sys.argv[1]))))

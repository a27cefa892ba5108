"""``deskpulse state``: published panes against the log, and state made again from it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from aiokafka.errors import KafkaError

from agents.keyed import UnreadableLogError
from models.durability.keyed import TooManyFailuresError
from stream_app.cli.configured import configured
from stream_app.cli.progress import with_progress
from stream_app.feeds.feed import instant
from stream_app.settings import Settings
from stream_app.state.parts import PROCESSORS, StateError

_Answer = TypeVar("_Answer")

EXIT_DIFFERENCES = 1
FIRST_VERSION = 1

PROCESSOR = click.option("--processor", type=click.Choice(PROCESSORS), help="Only this one. Default: both.")
PARTITION = click.option("--partition", type=int, metavar="N", help="Only this log partition. Default: all.")


@click.group()
def state() -> None:
    """Check published panes against the log, or make state again from it."""


def _instant(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return instant(int(text) if text.isdigit() else text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; such as 2026-03-02T09:00:00Z, or epoch milliseconds") from error


@state.command(
    epilog="""\b
Examples
  deskpulse state verify
  deskpulse state verify --processor cases --partition 2
  deskpulse state verify --from 2026-03-02T00:00:00Z --to 2026-03-03T00:00:00Z

\b
Next steps
  deskpulse state rebuild    if there are differences
"""
)
@PROCESSOR
@PARTITION
@click.option("--from", "begin", callback=_instant, metavar="INSTANT", help="Only slices that start at this instant or later.")
@click.option("--to", "end", callback=_instant, metavar="INSTANT", help="Only slices that start before this instant.")
@click.option("--limit", default=50, show_default=True, help="Differences to print; all are counted.")
@configured
def verify(settings: Settings, processor: str | None, partition: int | None, begin: int | None, end: int | None, limit: int) -> None:
    """Compute panes again from the log and compare them with what was published.

    The real processors run over the log from its beginning. Workers may go on meanwhile: each pane is compared as of
    the record up to which it was published. Joins no group, writes nothing. Exit code 1 if anything differs.
    """
    from stream_app.app import engine_settings
    from stream_app.state.parts import chosen_parts
    from stream_app.state.verify import Findings, Stretch, Verification

    whole = Stretch()
    stretch = Stretch(whole.begin if begin is None else begin, whole.end if end is None else end)
    engine = engine_settings(settings)

    async def work() -> Findings:
        await _require_access(settings)
        parts = chosen_parts(settings, processor, partition)
        verification = Verification(engine, parts, stretch, _definitions(settings))
        return await with_progress("reading the log", await verification.prepare(), verification.run)

    found = _run(work())
    for difference in found.differences[:limit]:
        tier, start, cell = difference.pane
        where = f"{difference.part}  {tier} {_words(start)}  {' / '.join(cell)}"
        click.echo(f"{where}  {difference.key}: recomputed {difference.recomputed}, published {difference.published}")
    if len(found.differences) > limit:
        click.echo(f"… and {len(found.differences) - limit} more")
    for name, offset in found.begins.items():
        click.echo(f"! {name}: the log begins at offset {offset}, so older cases are missing from what was recomputed", err=True)
    if found.unreadable:
        click.echo(f"{found.unreadable} records of the panes topic cannot be read")
    click.echo(f"{found.panes:,} panes compared, {len(found.differences):,} differences")
    if not found.same:
        raise SystemExit(EXIT_DIFFERENCES)


@state.command(
    epilog="""\b
Examples
  deskpulse state rebuild --processor cases --partition 2
  deskpulse state rebuild

\b
Next steps
  deskpulse worker           it goes on where the rebuild ended
  deskpulse state verify     while it runs, or before
"""
)
@PROCESSOR
@PARTITION
@click.option("--from-what-is-left", is_flag=True, help="Also from a log whose beginning is gone: what is older will be missing.")
@configured
def rebuild(settings: Settings, processor: str | None, partition: int | None, from_what_is_left: bool) -> None:
    """Make state again from the log, when a changelog cannot be trusted. Stop all workers first.

    Everything of the partition is written again under a higher epoch, so it outranks what stood there, and published
    again; what is no more is deleted. No case or SLA event is sent again. If it is interrupted, workers
    quarantine the partition until it is run again.
    """
    from stream_app.app import engine_settings
    from stream_app.state.parts import chosen_parts
    from stream_app.state.rebuild import Rebuilding, Rebuilt
    from stream_app.state.workers import living_workers

    engine = engine_settings(settings)

    async def work() -> list[Rebuilt]:
        await _require_access(settings)
        parts = chosen_parts(settings, processor, partition)
        _refuse_beside(await living_workers(engine), "Stop them first (one that was killed counts for engine.session_timeout)")
        rebuilding = Rebuilding(engine, parts, _definitions(settings), from_what_is_left=from_what_is_left)
        rebuilt = await with_progress("processing the log", await rebuilding.prepare(), rebuilding.run)
        _refuse_beside(await living_workers(engine), "They were started too early: restart them")
        return rebuilt

    for done in _run(work()):
        click.echo(f"{done.name}: epoch {done.epoch}, {done.rows:,} rows, {done.panes:,} panes; a worker goes on at offset {done.offset:,}")


async def _require_access(settings: Settings) -> None:
    from stream_app.kafka_access.granted import require_access
    from stream_app.kafka_access.rights import worker_rights
    from stream_app.kafka_access.security import client_security

    await require_access(settings.kafka.bootstrap_servers, client_security(settings.kafka), worker_rights(settings))


def _refuse_beside(workers: Sequence[str], what_to_do: str) -> None:
    if workers:
        raise StateError(f"{len(workers)} workers are alive: {', '.join(workers)}. {what_to_do}")


def _definitions(settings: Settings) -> Any:
    """Those of the configuration; they count only where a log has lost its own and no marker holds them."""
    from models.events.canonical import Definitions

    return Definitions(FIRST_VERSION, settings.definitions())


def _words(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _run(work: Coroutine[Any, Any, _Answer]) -> _Answer:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except (StateError, KafkaError, UnreadableLogError, TooManyFailuresError) as error:
        raise click.ClickException(str(error)) from error

"""``deskpulse config publish``: a change of definitions, into the logs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from stream_app.cli.configured import configured
from stream_app.logs import only_results
from stream_app.settings import Settings

if TYPE_CHECKING:
    from stream_app.definitions.publish import Publication


@click.command(
    epilog="""\b
Examples
  deskpulse config publish --dry-run
  deskpulse config publish --yes

\b
Next steps
  restart the workers with the new file, one after the other
"""
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the broker's answers.")
@configured
def publish(settings: Settings, *, dry_run: bool, yes: bool, timeout: float) -> None:
    """Make this configuration's definitions those of the whole installation, while its workers run.

    Definitions are what all workers must count alike: [dimensions], [sla], the targets and windows in [kpis], time.horizon and
    engine.row_cap_bytes. They are written into every partition of the logs and hold from that record on: a case counts as a
    whole under those in force at its last event or timer. Everything else in the file takes effect when a worker starts.

    Exit code 1 if a change is refused, with the reason; nothing is changed then. An interrupted run is completed by the next.
    """
    only_results()
    try:
        asyncio.run(_publish(settings, dry_run=dry_run, yes=yes, timeout=timeout))
    except TimeoutError as error:
        raise click.ClickException(f"no answer from {settings.kafka.bootstrap_servers} within {timeout:.0f} s: deskpulse doctor") from error


async def _publish(settings: Settings, *, dry_run: bool, yes: bool, timeout: float) -> None:
    from aiokafka.errors import KafkaError

    from stream_app.app import engine_settings, log_partitions_problem
    from stream_app.definitions.log import LOGS, DefinitionsError, definitions_log
    from stream_app.definitions.publish import compare
    from stream_app.definitions.publish import publish as write
    from stream_app.engine import RefusalError, wait_for_access, wait_for_topics
    from stream_app.kafka_access.rights import worker_rights

    engine = engine_settings(settings)
    try:
        async with asyncio.timeout(timeout) as patience:
            await wait_for_access(engine, worker_rights(settings))
            counts = await wait_for_topics(engine, (*LOGS, *LOGS.values()))
            if problem := log_partitions_problem(settings, counts):
                raise DefinitionsError(problem)
            async with definitions_log(engine, settings.kafka.log_partitions) as log:
                publication = await compare(log, settings.definitions())
                _explain(publication)
                if dry_run or not publication.due:
                    return
                patience.reschedule(None)
                if not yes:
                    click.confirm(f"Publish version {publication.wanted.version}?", abort=True)
                patience.reschedule(asyncio.get_running_loop().time() + timeout)
                await write(log, publication)
    except (DefinitionsError, RefusalError, KafkaError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"✓ version {publication.wanted.version} stands in all {len(log.partitions)} log partitions")


def _explain(publication: Publication) -> None:
    """What would change, as lines; raises ``ClickException`` if any of it is refused."""
    if not publication.due:
        click.echo("Nothing to publish: the published definitions are those of this configuration")
        return
    if publication.published is None:
        click.echo("Nothing is published yet: this configuration would be version 1")
    for change in publication.changes:
        click.echo(f"  {change.key}: {change.old} → {change.new}")
    if publication.published is publication.wanted:
        missing = len(publication.lacking)
        click.echo(f"A publication was interrupted: version {publication.wanted.version} is missing in {missing} log partitions")
    if publication.refused:
        reasons = "".join(f"\n✗ {change.key}: {change.refused}" for change in publication.refused)
        raise click.ClickException(f"a running system cannot take this; nothing was changed{reasons}")

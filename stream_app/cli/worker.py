"""``deskpulse worker``."""

from __future__ import annotations

import click

from stream_app.cli.configured import EXIT_CONFIGURATION, configured
from stream_app.logs import configure_logging
from stream_app.settings import Settings


@click.command(
    epilog="""\b
Examples
  deskpulse --config deskpulse.toml worker
  deskpulse --config deskpulse.toml worker --processes 4

\b
Next steps
  deskpulse doctor       if it does not start or lags behind
  deskpulse snapshot     the numbers it publishes
"""
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    metavar="N",
    help="Workers to run, each a process of its own. One core each is a good number.",
)
@click.option("--member", type=click.IntRange(0), hidden=True, help="Number among several; standard input is the pipe to their supervisor.")
@configured
def worker(settings: Settings, *, processes: int, member: int | None) -> None:
    """Run the processors: Intake, Cases, Customers and Rollup.

    Start the same command several times, on one machine or many, to share the work: each takes a part of
    the partitions (kafka.log_partitions is the most that can share), and takes over from one that dies.

    Answers /metrics, /healthz and /readyz on the address in [metrics]. Stops cleanly on SIGTERM or Ctrl-C
    with exit code 0; any other exit code means that something must be looked at, and says what.

    One worker uses one core. With --processes N this command starts N of them, numbered from 0, and only
    watches: worker K answers on metrics.port + K (port 0: a free one each, named in the log), and every
    line of the log says whose it is. SIGTERM and Ctrl-C stop all. When one ends by itself the others are
    stopped too, and the exit code is that of the first: let a service manager start it again.
    """
    configure_logging(settings.log.level, settings.log.format, worker=member)
    if member is not None:
        from stream_app.supervision.lifeline import hold_lifeline

        hold_lifeline()
    if processes > 1:
        _run_several(settings, processes)
    else:
        from stream_app.app import run_worker

        run_worker(settings)


def _run_several(settings: Settings, processes: int) -> None:
    from stream_app.supervision.plan import NoPortError
    from stream_app.supervision.workers import run_workers

    try:
        run_workers(settings, processes)
    except NoPortError as error:
        click.echo(f"✗ {error}", err=True)
        raise SystemExit(EXIT_CONFIGURATION) from error

"""``deskpulse worker``."""

from __future__ import annotations

import click

from stream_app.cli.configured import configured
from stream_app.logs import configure_logging
from stream_app.settings import Settings


@click.command(
    epilog="""\b
Example
  deskpulse --config deskpulse.toml worker

\b
Next steps
  deskpulse doctor       if it does not start or lags behind
  deskpulse snapshot     the numbers it publishes
"""
)
@configured
def worker(settings: Settings) -> None:
    """Run the processors: Intake, Cases, Customers and Rollup.

    Start the same command several times, on one machine or many, to share the work: each takes a part of
    the partitions (kafka.log_partitions is the most that can share), and takes over from one that dies.

    Answers /metrics, /healthz and /readyz on the address in [metrics]. Stops cleanly on SIGTERM or Ctrl-C
    with exit code 0; any other exit code means that something must be looked at, and says what.
    """
    from stream_app.app import run_worker

    configure_logging(settings.log.level, settings.log.format)
    run_worker(settings)

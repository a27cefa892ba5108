"""The ``deskpulse`` command."""

from __future__ import annotations

import os
from pathlib import Path

import click

from stream_app.cli.assembly import EPILOG, LazyCommands
from stream_app.settings.sources import CONFIG_VARIABLE

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=LazyCommands, epilog=EPILOG, context_settings=_CONTEXT)
@click.version_option(package_name="deskpulse", message="deskpulse %(version)s")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration to use. Default: $DESKPULSE_CONFIG, else deskpulse.toml here, else built-in defaults.",
)
def main(config_file: Path | None) -> None:
    """Live, exact service KPIs from a support organisation's Kafka events.

    Contacts, resolutions and surveys go in; response times, service level, first contact resolution,
    backlog and SLA warnings come out: as topics, Prometheus metrics and a wall board.
    """
    if config_file is not None:
        # In the environment, so that every subcommand and every process it starts reads the same file.
        os.environ[CONFIG_VARIABLE] = str(config_file.absolute())

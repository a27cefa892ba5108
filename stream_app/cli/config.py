"""``deskpulse config``: check, show, begin and publish a configuration."""

from __future__ import annotations

import os
from pathlib import Path

import click

from stream_app.cli.configured import EXIT_CONFIGURATION, end, refuse, settings_or_exit
from stream_app.cli.publish import publish
from stream_app.kafka_access.security import SecurityFileError, client_security
from stream_app.settings import SettingsError, load_settings
from stream_app.settings.reference import effective_toml, example_toml, reference_markdown
from stream_app.settings.sources import configuration_file


@click.group(
    epilog="""\b
Examples
  deskpulse config example > deskpulse.toml
  deskpulse config check
  deskpulse config publish
  DESKPULSE_KAFKA__BOOTSTRAP_SERVERS=kafka-1:9092 deskpulse config show
"""
)
def config() -> None:
    """Check, show, begin or publish a configuration.

    One TOML file and environment variables. A variable is called DESKPULSE_<SECTION>__<KEY>, with two
    underscores wherever the file has a dot, and outranks the file.
    """


@config.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def check(file: Path | None) -> None:
    """Say what is wrong, with the line, and exit with 2; or that nothing is.

    Without FILE: the configuration that the other commands would use.
    """
    try:
        client_security(load_settings(file).kafka)
    except SettingsError as error:
        refuse(error)
    except SecurityFileError as error:
        end(error, EXIT_CONFIGURATION)
    used = configuration_file(file, os.environ)
    click.echo(f"✓ {used or 'no file: the defaults'} and the environment make a sound configuration")


@config.command()
def show() -> None:
    """Print the settings in force, as TOML: defaults, file and environment together."""
    click.echo(effective_toml(settings_or_exit()), nl=False)


@config.command()
def example() -> None:
    """Print a configuration with every key, its default and its meaning, commented out."""
    click.echo(example_toml(), nl=False)


@config.command()
def reference() -> None:
    """Print the reference page of all keys, as Markdown."""
    click.echo(reference_markdown(), nl=False)


config.add_command(publish)

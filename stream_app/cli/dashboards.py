"""``deskpulse dashboards``: Grafana's files and the page about them."""

from __future__ import annotations

from pathlib import Path

import click

from stream_app.cli.configured import configured
from stream_app.dashboards.content import Dashboard
from stream_app.dashboards.files import write_files
from stream_app.dashboards.plan import dashboards as all_dashboards
from stream_app.dashboards.reference import reference_markdown
from stream_app.settings import Settings


@click.group(
    epilog="""\b
Examples
  deskpulse dashboards write grafana/dashboards
  deskpulse dashboards reference > docs/reference/dashboards.md
"""
)
def dashboards() -> None:
    """Grafana dashboards, made from the catalogue of KPIs and the metrics of the pipeline."""


@dashboards.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@configured
def write(settings: Settings, directory: Path) -> None:
    """Write one JSON file per dashboard into DIRECTORY, for Grafana's provisioning or its import.

    The goals in `board.goals` are drawn as thresholds; without goals there are none.
    """
    try:
        written = write_files(directory, _with_goals(settings))
    except OSError as error:
        raise click.ClickException(f"{directory} can not be written: {error.strerror or error}") from error
    for file in written:
        click.echo(file)


@dashboards.command()
def reference() -> None:
    """Print the reference page: every dashboard, panel and query with its meaning."""
    click.echo(reference_markdown(all_dashboards()), nl=False)


def _with_goals(settings: Settings) -> tuple[Dashboard, ...]:
    try:
        return all_dashboards(settings.board.goals)
    except ValueError as error:
        raise click.ClickException(str(error)) from error

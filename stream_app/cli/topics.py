"""``deskpulse topics``: make all topics, or say what is wrong with those that exist."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import click

from stream_app.cli.configured import configured
from stream_app.settings import Settings
from stream_app.topic_admin import TopicsError, create_topics, describe_topics
from stream_app.topics import TopicDifference, TopicSpec, specs_of

_Answer = TypeVar("_Answer")

EXIT_DIFFERENCES = 1

WAIT = click.option(
    "--wait", "wait_seconds", type=float, default=30.0, show_default=True, help="Seconds to wait for a broker that is starting."
)


@click.group()
def topics() -> None:
    """Create the topics, or show how they differ from what is needed."""


@topics.command()
@WAIT
@configured
def create(settings: Settings, wait_seconds: float) -> None:
    """Create every topic that is missing, with its partitions, cleanup and compaction settings.

    Existing topics are left as they are; running it again is harmless. Names, partition counts and replication factor come
    from the configuration.
    """
    specs = specs_of(settings)
    created = _ask(
        create_topics(settings.kafka.bootstrap_servers, specs, settings.kafka.replication_factor, wait_seconds=wait_seconds)
    )
    for name in created:
        click.echo(f"created {name}")
    click.echo(f"{len(created)} created, {len(specs) - len(created)} were there already.")


@topics.command()
@WAIT
@configured
def describe(settings: Settings, wait_seconds: float) -> None:
    """List the topics as they should be, and every difference on the broker with the way out.

    Exit code 1 if there is a difference.
    """
    specs = specs_of(settings)
    found = _ask(describe_topics(settings.kafka.bootstrap_servers, specs, wait_seconds=wait_seconds))
    _print_table(specs, found)
    for difference in found:
        click.echo(f"✗ {difference}", err=True)
    if found:
        raise SystemExit(EXIT_DIFFERENCES)


@topics.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a topic's records, or of one type of input event.

    NAME is a topic without prefix (`kpis`, `sla-events`), `input-events`, or a type (`contact.opened`). Without a NAME, list them.
    The schemas of this release are also files: docs/reference/schemas.

    \b
    Examples:
      deskpulse topics schema sla-events
      deskpulse topics schema contact.opened | jq .properties
    """  # noqa: D301 - click ends wrapping at a real backspace
    from stream_app.contracts.lookup import UnknownSchemaError, listing, schema_text

    try:
        click.echo(listing() if name is None else schema_text(name), nl=False)
    except UnknownSchemaError as error:
        raise click.ClickException(str(error)) from error


def _ask(question: Coroutine[Any, Any, _Answer]) -> _Answer:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # each failed attempt to connect would be an error line
    try:
        return asyncio.run(question)
    except TopicsError as error:
        raise click.ClickException(str(error)) from error


def _print_table(specs: Sequence[TopicSpec], found: Sequence[TopicDifference]) -> None:
    differing = {difference.topic for difference in found}
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        verdict = "differs" if spec.name in differing else "ok"
        partitions = f"{spec.partitions:4} partitions" if spec.ours else "any partitions ".rjust(15)
        click.echo(f"{spec.name:{width}}  {partitions}  {spec.config['cleanup.policy']:7}  {verdict}")

"""``deskpulse topics``: make all topics, or say what is wrong with those that exist."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import click

from stream_app.topic_admin import TopicsError, create_topics, describe_topics
from stream_app.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX, topic_specs

F = TypeVar("F", bound=Callable[..., Any])

EXIT_DIFFERENCES = 1


def _where(command: F) -> F:
    """The options that name a broker and an installation on it."""
    for option in (
        click.option("--log-partitions", type=click.IntRange(1, 1024), default=DEFAULT_PARTITIONS, envvar="DESKPULSE_LOG_PARTITIONS",
                     show_default=True, help="Partitions of the logs and changelogs: the most workers that can share the work."),
        click.option("--topic-prefix", default=DEFAULT_PREFIX, envvar="DESKPULSE_TOPIC_PREFIX", show_default=True,
                     help="Our own topics are called PREFIX.NAME."),
        click.option("--bootstrap-servers", default="127.0.0.1:9092", envvar="DESKPULSE_BOOTSTRAP_SERVERS", show_default=True,
                     help="Brokers to start from, as HOST:PORT, several with commas."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def topics() -> None:
    """Create the topics, or compare them with what they should be."""


@topics.command()
@_where
@click.option("--replication-factor", type=click.IntRange(1, 32), default=1, show_default=True, help="Copies of each topic; 3 in production.")
@click.option("--wait", "wait_seconds", type=float, default=60.0, show_default=True, help="Seconds to wait for a broker that is starting.")
def create(bootstrap_servers: str, topic_prefix: str, log_partitions: int, replication_factor: int, wait_seconds: float) -> None:
    """Create every topic that is missing, with its partitions, cleanup and compaction settings.

    Existing topics are left as they are; running it again is harmless.
    """
    specs = topic_specs(topic_prefix, log_partitions=log_partitions)
    try:
        created = asyncio.run(create_topics(bootstrap_servers, specs, replication_factor, wait_seconds=wait_seconds))
    except TopicsError as error:
        raise click.ClickException(str(error)) from error
    for name in created:
        click.echo(f"created {name}")
    click.echo(f"{len(created)} created, {len(specs) - len(created)} were there already.")


@topics.command()
@_where
@click.option("--wait", "wait_seconds", type=float, default=10.0, show_default=True, help="Seconds to wait for a broker that is starting.")
def describe(bootstrap_servers: str, topic_prefix: str, log_partitions: int, wait_seconds: float) -> None:
    """List the topics as they should be, and every difference on the broker with the way out. Exit code 1 if there is one."""
    specs = topic_specs(topic_prefix, log_partitions=log_partitions)
    try:
        found = asyncio.run(describe_topics(bootstrap_servers, specs, wait_seconds=wait_seconds))
    except TopicsError as error:
        raise click.ClickException(str(error)) from error
    differing = {difference.topic for difference in found}
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        verdict = "differs" if spec.name in differing else "ok"
        click.echo(f"{spec.name:{width}}  {spec.partitions:3} partitions  {spec.config['cleanup.policy']:7}  {verdict}")
    for difference in found:
        click.echo(str(difference), err=True)
    if found:
        raise click.exceptions.Exit(EXIT_DIFFERENCES)

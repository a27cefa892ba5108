"""``deskpulse topics``: make all topics, say what is wrong with those that exist, or print what somebody else has to run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import click

from stream_app.cli.configured import configured
from stream_app.kafka_access.rights import Role, acl_commands
from stream_app.kafka_access.security import client_security
from stream_app.settings import Settings
from stream_app.topic_admin import TopicsError, create_topics, describe_topics
from stream_app.topics import TopicDifference, TopicSpec, creation_commands, specs_of

_Answer = TypeVar("_Answer")

EXIT_DIFFERENCES = 1

WAIT = click.option(
    "--wait", "wait_seconds", type=float, default=30.0, show_default=True, help="Seconds to wait for a broker that is starting."
)


PRINCIPALS: dict[Role, str] = {
    "admin": "User:deskpulse-admin",
    "worker": "User:deskpulse",
    "reader": "User:deskpulse-reader",
    "sender": "User:deskpulse-sender",
}


@click.group()
def topics() -> None:
    """Create the topics, show how they differ from what is needed, or print the commands for whoever looks after Kafka."""


@topics.command()
@WAIT
@click.option("--print", "only_print", is_flag=True, help="Ask no broker; print the commands (kafka-topics.sh) that do the same.")
@configured
def create(settings: Settings, wait_seconds: float, *, only_print: bool) -> None:
    """Create every topic that is missing, with its partitions, cleanup and compaction settings.

    Existing topics are left as they are; running it again is harmless. Names, partition counts and replication factor come
    from the configuration.
    """
    specs, copies = specs_of(settings), settings.kafka.replication_factor
    if only_print:
        _print_commands(creation_commands(specs, copies, tool_call("kafka-topics.sh", settings)))
        return
    security = client_security(settings.kafka)
    created = _ask(create_topics(settings.kafka.bootstrap_servers, specs, copies, wait_seconds=wait_seconds, security=security))
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
    security = client_security(settings.kafka)
    found = _ask(describe_topics(settings.kafka.bootstrap_servers, specs, wait_seconds=wait_seconds, security=security))
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


@topics.command(
    epilog="""\b
Examples
  deskpulse topics acls
  deskpulse topics acls --worker User:kpi-prod --sender User:phone --sender User:survey-tool
"""
)
@click.option("--admin", multiple=True, metavar="PRINCIPAL", help=f"Who creates the topics.  [default: {PRINCIPALS['admin']}]")
@click.option("--worker", multiple=True, metavar="PRINCIPAL", help=f"Who runs the workers.  [default: {PRINCIPALS['worker']}]")
@click.option("--reader", multiple=True, metavar="PRINCIPAL", help=f"Board and other readers.  [default: {PRINCIPALS['reader']}]")
@click.option("--sender", multiple=True, metavar="PRINCIPAL", help=f"Who sends events.  [default: {PRINCIPALS['sender']}]")
@configured
def acls(settings: Settings, /, **chosen: tuple[str, ...]) -> None:
    """Print the commands (kafka-acls.sh) that give each kind of user the rights it needs. Asks no broker.

    Each option may be given several times.
    """
    principals = {role: chosen[role] or (default,) for role, default in PRINCIPALS.items()}
    _print_commands(acl_commands(settings, principals, tool_call("kafka-acls.sh", settings)))


def tool_call(tool: str, settings: Settings) -> str:
    """How one of Kafka's tools is called against the configured brokers. It gets its access from a file that its user has."""
    access = "" if settings.kafka.security_protocol == "PLAINTEXT" else " --command-config admin.properties"
    return f"{tool} --bootstrap-server {settings.kafka.bootstrap_servers}{access}"


def _print_commands(commands: Iterable[str]) -> None:
    for command in commands:
        click.echo(command)


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

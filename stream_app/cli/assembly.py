"""The top-level command: subcommands by group, each imported only when it is used or its help is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import click

EPILOG = """\b
First steps
  deskpulse demo               everything on this machine, with simulated traffic
  deskpulse kpis               what is measured, and what it means
  deskpulse config example     a commented configuration to start from
  deskpulse doctor             what is wrong, and what to do about it

\b
On your own Kafka
  deskpulse --config deskpulse.toml config check
  deskpulse --config deskpulse.toml topics create
  deskpulse --config deskpulse.toml worker        (as many as you like)
  deskpulse --config deskpulse.toml board

Every command explains itself with --help."""


@dataclass(frozen=True)
class Listed:
    """A subcommand as the overview shows it, and where its code is."""

    name: str
    module: str
    attribute: str
    summary: str


GROUPS: dict[str, tuple[Listed, ...]] = {
    "Try it": (
        Listed("demo", "stream_app.cli.demo", "demo", "Broker, worker, board and simulated traffic, with one command."),
        Listed("replay", "stream_app.cli.replay", "replay", "Real recorded data through the whole pipeline."),
        Listed("simulate", "stream_app.cli.simulate", "simulate", "Made-up traffic of every event type, live or to a file."),
        Listed("broker", "stream_app.cli.broker", "broker", "A Kafka broker on this machine."),
    ),
    "Run it": (
        Listed("worker", "stream_app.cli.worker", "worker", "The processors: from input events to published KPIs."),
        Listed("board", "stream_app.cli.board", "board", "The wall board's web server."),
        Listed("mapping", "stream_app.cli.mapping", "mapping", "Try how the messages of another system become events."),
        Listed("topics", "stream_app.cli.topics", "topics", "Create the topics, or show how they differ from what is needed."),
    ),
    "Look at it": (
        Listed("snapshot", "stream_app.cli.snapshot", "snapshot", "The current KPIs, as a table or JSON."),
        Listed("kpis", "stream_app.cli.kpis", "kpis", "The catalogue: every KPI with its meaning."),
        Listed("dashboards", "stream_app.cli.dashboards", "dashboards", "Grafana dashboards of every KPI and of the pipeline."),
        Listed("dead-letters", "stream_app.cli.dead_letters", "dead_letters", "What could not be accepted, and back into its input."),
        Listed("config", "stream_app.cli.config", "config", "Check, show, begin or publish a configuration."),
        Listed("state", "stream_app.cli.state", "state", "Check published panes against the log, or make state again from it."),
        Listed("doctor", "stream_app.cli.doctor", "doctor", "What is wrong around here, and what to do about it."),
        Listed("health", "stream_app.cli.health", "health", "Whether the worker or the board here is ready, as an exit code."),
    ),
}

_BY_NAME = {listed.name: listed for group in GROUPS.values() for listed in group}


class LazyCommands(click.Group):
    """A group that knows its subcommands' names and summaries without importing them, so that ``--help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the overview."""
        return list(_BY_NAME)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, imported now. A module that can not be imported breaks its own command only."""
        listed = _BY_NAME.get(cmd_name)
        return None if listed is None else load_command(listed)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, by group, from the summaries."""
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(listed.name, listed.summary) for listed in group])


def load_command(listed: Listed) -> click.Command:
    """Imports one subcommand. Raises ``ClickException`` where its code or something it needs is not installed."""
    try:
        command = getattr(importlib.import_module(listed.module), listed.attribute)
    except ImportError as error:
        raise click.ClickException(f"`{listed.name}` is not available in this installation: {error}") from error
    if not isinstance(command, click.Command):
        raise click.ClickException(f"`{listed.name}` is not a command")
    return command

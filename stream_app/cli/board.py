"""``deskpulse board``: the wall board's web server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from models.catalogue.registry import BY_ID
from stream_app.access import UnsafeAddressError, token_for
from stream_app.board.consumer import KafkaFeed
from stream_app.board.options import BoardOptions
from stream_app.board.server import run_board
from stream_app.cli.configured import configured
from stream_app.kafka_access.security import client_security
from stream_app.settings import Settings


@click.command(
    epilog="""\b
Examples
  deskpulse board                                    http://127.0.0.1:8088/
  deskpulse board --name "Billing desk" --zone Europe/Berlin --goal service_level=0.8
  deskpulse board --host 0.0.0.0 --token-file board.token

\b
In the address of the page
  ?theme=light   ?group=queue:billing   ?window=60m   ?kiosk
"""
)
@click.option("--host", help="Address to listen on. Any but loopback needs --token-file.  [default: board.host]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.  [default: board.port, 8088]")
@click.option("--bootstrap-servers", metavar="HOST:PORT,…", help="Brokers.  [default: kafka.bootstrap_servers]")
@click.option("--topic-prefix", help="Prefix of the output topics.  [default: kafka.topic_prefix]")
@click.option("--token-file", type=click.Path(dir_okay=False, path_type=Path), help="File with the token that viewers need.")
@click.option("--name", help="Title of the board.  [default: board.name]")
@click.option("--zone", help="IANA time zone of the clock.  [default: kpis.zone]")
@click.option("--goal", "goals", multiple=True, metavar="KPI=VALUE", help="A value to reach, in the KPI's unit. Repeatable.")
@configured
def board(
    settings: Settings,
    host: str | None,
    port: int | None,
    bootstrap_servers: str | None,
    topic_prefix: str | None,
    token_file: Path | None,
    name: str | None,
    zone: str | None,
    goals: tuple[str, ...],
) -> None:
    """Serve the wall board: live figures from the output topics, as a page, as JSON and as an event stream.

    It only reads; any number of boards can run beside the workers, on other machines too.
    """
    address = host or settings.board.host
    try:
        token = token_for(address, token_file or settings.board.token_file, "board")
    except UnsafeAddressError as error:
        raise click.ClickException(str(error)) from error
    options = BoardOptions(
        host=address,
        port=settings.board.port if port is None else port,
        token=token,
        name=name or settings.board.name,
        zone=_zone(zone or settings.kpis.zone),
        goals=settings.board.goals | dict(map(_goal, goals)),
    )
    servers = bootstrap_servers or settings.kafka.bootstrap_servers
    _serve(options, KafkaFeed(servers, topic_prefix or settings.kafka.topic_prefix, client_security(settings.kafka)))


def _serve(options: BoardOptions, feed: KafkaFeed) -> None:
    def started(port: int) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        click.echo(f"Board on http://{host}:{port}/ (Ctrl-C stops it)", err=True)

    async def until_signal() -> None:
        serving = asyncio.create_task(run_board(options, feed, started=started))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    try:
        asyncio.run(until_signal())
    except OSError as error:
        raise click.ClickException(f"Can not listen on {options.host}:{options.port}: {error.strerror or error}") from error


def _goal(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in BY_ID:
        raise click.BadParameter(f"there is no KPI {name!r}; `deskpulse kpis` lists them", param_hint="--goal")
    try:
        return name, float(value)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not KPI=VALUE", param_hint="--goal") from error


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise click.BadParameter(f"there is no time zone {name!r}", param_hint="--zone") from error

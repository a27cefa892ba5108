"""``deskpulse broker``: a local broker in the foreground, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType

import click

from stream_app.brokers import BrokerError
from stream_app.brokers.process import BrokerProcess

POLL_SECONDS = 0.5

PORT = click.option("--port", type=click.IntRange(1, 65535), default=9092, show_default=True, help="Port on 127.0.0.1.")


@click.group()
def broker() -> None:
    """Run a local Kafka broker, for trying things out and for tests.

    It listens on 127.0.0.1 only and runs in the foreground; Ctrl-C stops it.
    """


@broker.command()
@PORT
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where topics are kept from one start to the next. Without it they are deleted at the end.",
)
def kafka(port: int, data_dir: Path | None) -> None:
    """A real Apache Kafka. Needs Java 17 and, the first time, Maven to bring 43 MB of jars."""
    from stream_app.brokers.kafka import KafkaBroker

    kept = data_dir.absolute() if data_dir else None
    _run(KafkaBroker(data_dir=kept, port=port), "Apache Kafka", f"Topics are kept in {data_dir}." if data_dir else "Topics go at the end.")


@broker.command()
@PORT
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where the broker's log file is kept.")
def embedded(port: int, data_dir: Path | None) -> None:
    """A small broker that keeps everything in memory. Starts at once, needs nothing, forgets everything."""
    from stream_app.brokers.embedded import EmbeddedBroker

    kept = data_dir.absolute() if data_dir else None
    _run(EmbeddedBroker(data_dir=kept, port=port), "The embedded broker", "Topics are in memory and go at the end.")


def _run(local: BrokerProcess, what: str, note: str) -> None:
    asked_to_stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    try:
        click.echo(f"{what} is starting …")
        local.start()
        click.echo(f"{what} serves on {local.bootstrap}. {note} Ctrl-C stops it.")
        while local.running and not asked_to_stop.wait(POLL_SECONDS):
            pass
        if not asked_to_stop.is_set():
            raise click.ClickException(f"{what} ended by itself. The end of its log:\n{local.log_tail()}")
        click.echo("Stopping …")
    except BrokerError as error:
        raise click.ClickException(str(error)) from error
    finally:
        local.close()

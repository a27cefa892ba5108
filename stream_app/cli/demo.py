"""``deskpulse demo``: everything on this machine, with one command."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from stream_app.brokers import BrokerError
from stream_app.brokers.process import BrokerProcess
from stream_app.cli.configured import configured
from stream_app.demonstration.demo import Demo, DemoFailedError, DemoStoppedError
from stream_app.demonstration.processes import ChildEndedError
from stream_app.logs import only_results
from stream_app.settings import Settings
from stream_app.topic_admin import TopicsError


@click.command(
    epilog="""\b
Examples
  deskpulse demo                  until Ctrl-C
  deskpulse demo --kafka          on a real Apache Kafka (Java 17 and Maven)
  deskpulse demo --rate 200       more traffic

\b
Next steps
  deskpulse replay uci498         real data instead of made-up traffic
  deskpulse config example        a configuration for your own Kafka
"""
)
@click.option("--kafka", is_flag=True, help="A real Apache Kafka in place of the embedded broker.")
@click.option("--rate", default=20.0, show_default=True, type=click.FloatRange(min=0.1), help="Events per second, about.")
@click.option("--history", default="90m", show_default=True, metavar="DURATION", help="Traffic from before the start.")
@click.option("--for", "seconds", type=click.FloatRange(min=1), metavar="SECONDS", help="Stop by itself after this time.")
@configured
def demo(settings: Settings, *, kafka: bool, rate: float, history: str, seconds: float | None) -> None:
    """Start a broker, a worker, the board and simulated traffic; stop all of it on Ctrl-C.

    Nothing is left behind but the logs, and nothing outside of this machine can reach it. If a port is
    taken, a free one is used. The broker is a fresh one in any case, so existing topics are never touched.
    """
    only_results()
    asked_to_stop = _stop_signal()
    try:
        Demo(settings, _broker(kafka=kafka), rate, history, seconds, click.echo, asked_to_stop).run()
    except DemoStoppedError:
        click.echo("Everything is stopped.")
    except (BrokerError, TopicsError, ChildEndedError, DemoFailedError) as error:
        raise click.ClickException(str(error)) from error


def _broker(*, kafka: bool) -> BrokerProcess:
    if kafka:
        from stream_app.brokers.kafka import KafkaBroker

        return KafkaBroker()
    from stream_app.brokers.embedded import EmbeddedBroker

    return EmbeddedBroker()


def _stop_signal() -> threading.Event:
    """Set by Ctrl-C and SIGTERM; a second one changes nothing, so that stopping is never cut short."""
    asked_to_stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    return asked_to_stop

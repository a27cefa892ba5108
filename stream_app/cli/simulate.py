"""``deskpulse simulate``: made-up traffic, live or into a file."""

from __future__ import annotations

import time
from pathlib import Path

import click
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress

from stream_app.cli.configured import configured
from stream_app.feeds.event_file import write_events
from stream_app.feeds.live import LivePlan, simulate_live
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.feeds.simulator.simulation import DEFAULT_DAYS
from stream_app.feeds.stopping import run_stoppable
from stream_app.kafka_access.security import client_security
from stream_app.logs import only_results
from stream_app.settings import Settings


@click.command(
    epilog="""\b
Examples
  deskpulse simulate --rate 20                                     into the live pipeline, until Ctrl-C
  deskpulse simulate --rate 20 --history 0m                        without the time before
  deskpulse simulate --events 500000 --seed 1 --out events.jsonl.gz

\b
Next steps
  deskpulse board                     look at it
  deskpulse replay events.jsonl.gz    the KPIs over the whole file
"""
)
@click.option("--live", is_flag=True, help="As things happen, now, into the configured input topics. The default without --out.")
@click.option("--rate", default=20.0, show_default=True, type=click.FloatRange(min=0.1), help="Live: events per second, about.")
@click.option("--history", default="90m", show_default=True, metavar="DURATION", help="Live: begin this long ago, at once.")
@click.option("--haste", default=60.0, show_default=True, type=click.FloatRange(min=1), help="Live: cases take so many times less long.")
@click.option("--for", "seconds", type=click.FloatRange(min=1), metavar="SECONDS", help="Live: stop by itself after this time.")
@click.option("--events", type=click.IntRange(min=1), help="File: how many events.")
@click.option("--days", default=DEFAULT_DAYS, show_default=True, type=click.FloatRange(min=0.1), help="File: days the events cover, about.")
@click.option("--seed", type=int, help="The same seed makes the same file.  [default: 1; live: another one each time]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a file (gzip if it ends in .gz).")
@configured
def simulate(
    settings: Settings,
    *,
    live: bool,
    rate: float,
    history: str,
    haste: float,
    seconds: float | None,
    events: int | None,
    days: float,
    seed: int | None,
    out: Path | None,
) -> None:
    """Make up the traffic of a support organisation, of every event type there is.

    Customers call, write and wait; a limited number of representatives serves them; some hang up, come back,
    are handed on, escalate, get promises, are asked for their opinion. Nothing of it is real: the records carry
    the header `deskpulse-simulated`, and a worker that has `time.simulated` set says so on the board.
    """
    only_results()
    if out is not None:
        if live or events is None:
            raise click.UsageError("--out needs --events, and excludes --live")
        _write(out, SimulatedFeed(1 if seed is None else seed, events, days=days))
        return
    if events is not None:
        raise click.UsageError("--events needs --out FILE")
    _live(settings, LivePlan(rate=rate, haste=haste, history_ms=_duration(history), seconds=seconds, seed=seed))


def _write(path: Path, feed: SimulatedFeed) -> None:
    console = Console(stderr=True)
    started = time.monotonic()
    with Progress(console=console) as progress:
        bar = progress.add_task("events", total=feed.count)
        try:
            count = write_events(path, feed.events(), simulated=True, on_progress=lambda done: progress.update(bar, completed=done))
        except OSError as error:
            raise click.ClickException(f"{path} can not be written: {error.strerror or error}") from error
    click.echo(f"{count:,} simulated events in {path} ({time.monotonic() - started:.1f} s)")


def _live(settings: Settings, plan: LivePlan) -> None:
    topics = {name: settings.topic(name) for name in settings.active_inputs()}
    click.echo(f"Simulated traffic, about {plan.rate:g} events a second, into {', '.join(topics.values())}. Ctrl-C stops it.")
    try:
        run_stoppable(simulate_live(settings.kafka.bootstrap_servers, topics, plan, client_security(settings.kafka)))
    except KeyboardInterrupt:
        click.echo("Stopped.")
    except (KafkaError, LookupError) as error:
        raise click.ClickException(f"{settings.kafka.bootstrap_servers}: {error}") from error


def _duration(text: str) -> int:
    from stream_app.settings import milliseconds, parse_duration

    try:
        return milliseconds(parse_duration(text))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--history") from error

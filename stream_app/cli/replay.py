"""``deskpulse replay``: recorded events through the whole pipeline."""

from __future__ import annotations

import re
import signal
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import cast

import click
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from stream_app.brokers import BrokerError
from stream_app.brokers.process import BrokerProcess
from stream_app.cli.configured import configured, refuse
from stream_app.demonstration.processes import ChildEndedError
from stream_app.feeds.dataset import DatasetMissingError
from stream_app.feeds.event_file import EventFileError
from stream_app.feeds.feed import Feed, FeedOutline
from stream_app.feeds.own_replay import Outcome, OwnReplay, Report
from stream_app.feeds.rebase import rebase_to_now
from stream_app.feeds.replay import Order, ReplayPlan
from stream_app.feeds.replay import replay as send
from stream_app.feeds.sources import named_feed
from stream_app.feeds.stopping import run_stoppable
from stream_app.kafka_access.security import client_security
from stream_app.logs import only_results
from stream_app.settings import Settings, SettingsError
from stream_app.snapshots.reading import UnreadableTopicError
from stream_app.snapshots.rows import group_words, value_words
from stream_app.topic_admin import TopicsError

SPEED = re.compile(r"(\d+(?:\.\d+)?)x?\Z")
ORDERS = ("time", "shuffled", "resolutions_first")


def _speed(_context: click.Context, _parameter: click.Parameter, text: str) -> float | None:
    if text == "max":
        return None
    found = SPEED.match(text)
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(f"{text!r} is neither `max` nor a factor such as `60x`")
    return float(found[1])


@click.command(
    epilog="""\b
Examples
  deskpulse replay uci498                     a real help desk, as fast as it goes
  deskpulse replay boston311 --kafka          a city's service requests, on a real Apache Kafka
  deskpulse replay events.jsonl.gz --bootstrap-servers kafka:9092
  deskpulse replay uci498 --rebase now --speed 3600x
                                              into the live pipeline, an hour in a second

\b
Next steps
  deskpulse kpis          what the names in the summary mean
  deskpulse simulate --events 500000 --out events.jsonl.gz
"""
)
@click.argument("source", metavar="uci498|boston311|FILE")
@click.option("--speed", default="max", show_default=True, callback=_speed, metavar="max|60x", help="Event time against time.")
@click.option("--rebase", type=click.Choice(["now"]), help="Shift the times to now and feed the configured, live pipeline.")
@click.option("--bootstrap-servers", metavar="HOST:PORT,…", help="A broker that runs. Default: one is started for the replay.")
@click.option("--kafka", is_flag=True, help="Start a real Apache Kafka in place of the embedded broker.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 16), help="Workers to start.")
@click.option("--order", default="time", show_default=True, type=click.Choice(ORDERS), help="The result is the same for each.")
@click.option("--prefix", help="Prefix of the replay's own topics.  [default: replay-<name>-<time>]")
@click.option("--keep", is_flag=True, help="Keep the topics; with a broker of its own, go on until Ctrl-C.")
@configured
def replay(
    settings: Settings,
    source: str,
    *,
    speed: float | None,
    rebase: str | None,
    bootstrap_servers: str | None,
    kafka: bool,
    workers: int,
    order: str,
    prefix: str | None,
    keep: bool,
) -> None:
    """Send recorded events through the whole pipeline and show the KPIs over all of them.

    SOURCE is one of the two real data sets in data/ or a file of events, as `deskpulse simulate --out` writes
    them. The replay gets a pipeline of its own: topics under a prefix of its own, workers, and a horizon that
    covers the file. The time of the events is all the time there is in it, so the result does not depend on how
    fast it runs. Topics and processes go away at the end, unless --keep.
    """
    only_results()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    try:
        feed = named_feed(source)
        with console.status(f"Reading {source} …"):
            outline = feed.outline()
        console.print(_span_words(feed, outline), soft_wrap=True, highlight=False)
        if rebase is not None:
            _into_live_pipeline(console, feed, outline, settings, bootstrap_servers, speed)
            return
        name = re.sub(r"[^A-Za-z0-9._-]", "-", feed.name)
        own = OwnReplay(
            feed=feed,
            outline=outline,
            prefix=prefix or f"replay-{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}",
            broker=None if bootstrap_servers else _broker(kafka=kafka),
            bootstrap=bootstrap_servers or "",
            workers=workers,
            speed=speed,
            order=cast("Order", order),
            keep=keep,
        )
        _through_own_pipeline(console, own)
    except SettingsError as error:
        refuse(error)
    except (DatasetMissingError, EventFileError, LookupError, UnreadableTopicError, KafkaError) as error:
        raise click.ClickException(str(error)) from error
    except (BrokerError, TopicsError, ChildEndedError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.Abort from None


def _broker(*, kafka: bool) -> BrokerProcess:
    if kafka:
        from stream_app.brokers.kafka import KafkaBroker

        return KafkaBroker()
    from stream_app.brokers.embedded import EmbeddedBroker

    return EmbeddedBroker()


def _into_live_pipeline(
    console: Console, feed: Feed, outline: FeedOutline, settings: Settings, bootstrap: str | None, speed: float | None
) -> None:
    """Without declared progress: a live pipeline keeps its own time."""
    moved = rebase_to_now(outline.first_instant, outline.last_instant, int(time.time() * 1000), speed)
    topics = {name: settings.topic(name) for name in settings.active_inputs()}
    with _progress(console) as progress:
        bar = progress.add_task("sent", total=outline.events, detail="")
        plan = ReplayPlan(
            topics=topics,
            speed=speed,
            declare=False,
            rebase=moved,
            on_progress=lambda count: progress.update(bar, completed=count),
        )
        servers = bootstrap or settings.kafka.bootstrap_servers
        sent = run_stoppable(send(feed, servers, plan, outline=outline, security=client_security(settings.kafka)))
    console.print(", ".join(f"{count:,} into {topics[name]}" for name, count in sent.events.items()))


def _through_own_pipeline(console: Console, own: OwnReplay) -> None:
    with ExitStack() as stack:
        with _progress(console) as progress:
            own.report = _report(progress, own.outline)
            outcome = stack.enter_context(own.run())
        _summary(console, own, outcome)
        if own.keep:
            _go_on(console, own)


def _report(progress: Progress, outline: FeedOutline) -> Report:
    first, final = outline.first_instant, outline.final_instant
    sent = progress.add_task("sent", total=outline.events, detail="")
    published = progress.add_task("published", total=final - first, detail="")
    return Report(
        say=lambda line: progress.console.print(f"[green]✓[/] {line}", highlight=False),
        sent=lambda count: progress.update(sent, completed=count, detail=f"{count:,} events"),
        watermark=lambda at: progress.update(
            published, completed=max(0, min(at, final) - first), detail=f"up to {_minute(min(at, final))} UTC"
        ),
    )


def _go_on(console: Console, own: OwnReplay) -> None:
    """With a broker of our own, stay until Ctrl-C: what is kept would be gone with it."""
    bootstrap = own.broker.bootstrap if own.broker else own.bootstrap
    variables = " ".join(f"{name}={value}" for name, value in own.environment(bootstrap).items() if name.startswith("DESKPULSE_KAFKA"))
    console.print(f"To look at it: [bold]{variables} deskpulse board[/]", soft_wrap=True, highlight=False)
    if own.broker is not None:
        console.print("Ctrl-C stops everything.")
        threading.Event().wait()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>9}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
        console=console,
    )


def _span_words(feed: Feed, outline: FeedOutline) -> str:
    first, last = (_minute(at) for at in (outline.first_instant, outline.last_instant))
    simulated = " · simulated, nothing of it is real" if feed.simulated else ""
    return f"{feed.name}: {outline.events:,} events from {first} to {last} UTC{simulated}"


def _minute(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def _summary(console: Console, own: OwnReplay, outcome: Outcome) -> None:
    total = outcome.sent.events.total()
    table = Table(title=f"{own.feed.name}: the whole span", box=None, pad_edge=False, header_style="bold", title_justify="left")
    for name in ("KPI", "Group"):
        table.add_column(name)
    for name in ("Value", "Numerator", "n"):
        table.add_column(name, justify="right")
    table.add_column("State")
    for row in outcome.rows:
        table.add_row(*_cells(row))
    console.print(table)
    rate = total / outcome.seconds if outcome.seconds else 0.0
    pace = f"{total:,} events in {outcome.seconds:.1f} s ({rate:,.0f} a second)"
    console.print(f"{pace}, from the first sent to the last KPI published.", soft_wrap=True)
    if not outcome.rows:
        console.print(f"No rows over the span. What the workers said is in {own.directory}.")


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    count = row.get("n", row.get("denominator"))
    value = cast("float | None", row["value"])
    return (
        str(row["kpi"]),
        group_words(cast("dict[str, str]", row["group"])).replace("all", ""),
        value_words(value, str(row.get("unit", ""))),
        _number(row.get("numerator")),
        _number(count),
        str(row.get("state", "")),
    )


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else ""

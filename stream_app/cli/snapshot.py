"""``deskpulse snapshot``: the current KPIs, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import click
import orjson
from rich.console import Console
from rich.table import Table

from stream_app.cli.configured import configured
from stream_app.kafka_access.security import client_security
from stream_app.logs import only_results
from stream_app.settings import Settings
from stream_app.snapshots.reading import UnreadableTopicError, read_latest
from stream_app.snapshots.rows import Choice, Row, choose, group_words, parse_group, seconds_words, value_words


@click.command(
    epilog="""\b
Examples
  deskpulse snapshot                            every KPI, in total
  deskpulse snapshot --group queue              by queue
  deskpulse snapshot --group queue=billing --group channel --window today
  deskpulse snapshot --kpi 'first_reply*' --json

\b
Next steps
  deskpulse kpis      what the names mean
  deskpulse board     the same numbers, live
"""
)
@click.option("--kpi", "kpis", multiple=True, metavar="NAME", help="Only this KPI; may hold *. Repeatable.")
@click.option("--window", "windows", multiple=True, metavar="WINDOW", help="Such as 30m, today, 7d. Default: one per KPI.")
@click.option("--group", "groups", multiple=True, metavar="DIMENSION[=VALUE]", help="Another grouping than the total.")
@click.option("--all", "everything", is_flag=True, help="Every row there is.")
@click.option("--json", "as_json", is_flag=True, help="The records as they stand in the topic, as a JSON list.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds to wait for the topic.")
@configured
def snapshot(
    settings: Settings,
    kpis: tuple[str, ...],
    windows: tuple[str, ...],
    groups: tuple[str, ...],
    everything: bool,
    as_json: bool,
    timeout: float,
) -> None:
    """Print the current KPIs, as other services see them on the output topic.

    The number of rows that carry a value, the state of the window and the age of the data stand beside each value;
    n/a means that there is no data, which is not the same as 0.
    """
    only_results()
    try:
        security = client_security(settings.kafka)
        contents = asyncio.run(read_latest(settings.kafka.bootstrap_servers, settings.topic("kpis"), timeout, security))
    except UnreadableTopicError as error:
        raise click.ClickException(str(error)) from error
    records: list[Row] = [orjson.loads(value) for value in contents.values()]
    rows = choose(records, Choice(kpis, windows, parse_group(groups), everything))
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    else:
        _print(records, rows)


def _print(records: Sequence[Row], rows: Sequence[Row]) -> None:
    console = Console()
    console.print(_time_words(records))
    for line in _source_lines(records):
        console.print(line)
    if rows:
        console.print(_table(rows))
    else:
        console.print("No rows. Is a worker running (deskpulse doctor), and is there such a KPI (deskpulse kpis)?")


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("KPI")
    table.add_column("Window")
    table.add_column("Group")
    table.add_column("Value", justify="right")
    table.add_column("n", justify="right")
    table.add_column("State")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    count = row.get("n", row.get("denominator"))
    value = value_words(row["value"], row.get("unit", ""))
    return (
        row["kpi"],
        row["window"],
        group_words(row["group"]),
        f"{value} (small n)" if row.get("small_n") else value,
        "" if count is None else f"{count:,}",
        row.get("state", ""),
    )


def _time_words(records: Sequence[Row]) -> str:
    found = next((record for record in records if record["kpi"] == "watermark"), None)
    if found is None or found["value"] is None:
        return "Complete up to: nothing yet (some source has not been heard of)"
    behind = (found.get("clock", found["value"]) - found["value"]) / 1000
    simulated = " · simulated data" if found.get("simulated") else ""
    return f"Complete up to {_instant(found['value'])} ({seconds_words(behind)} behind the log's clock){simulated}"


def _source_lines(records: Sequence[Row]) -> list[str]:
    silent = [record for record in records if record["kpi"] == "source_progress" and record["value"] is None]
    return [f"! nothing heard of source {record['group'].get('source', '?')}" for record in silent]


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

"""``deskpulse mapping``: what sample messages become."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import click
import orjson

from stream_app.cli.configured import refuse, settings_or_exit
from stream_app.mapping.file import read_rules
from stream_app.mapping.rules import Rules
from stream_app.mapping.trial import Trial, attempt, messages_in
from stream_app.settings import SettingsError

EXIT_REFUSED = 1
_SHOWN_OF_A_MESSAGE = 100


@click.group()
def mapping() -> None:
    """Try how the messages of another system become events."""


@mapping.command(
    "try",
    epilog="""\b
Example: samples.jsonl holds one ticket
  {"kind": "new", "ticket": {"id": 7, "prio": "P1", "at": "2026-03-02T09:14:05Z"}}

\b
tickets.toml says what it means
  [[rules]]
  when = "kind == 'new'"
  [[rules.emit]]
  type = "contact.opened"
  case_id = "ticket.id"
  occurred_at = "ticket.at"
  priority = { from = "ticket.prio", table = { P1 = "urgent", P2 = "normal" } }

\b
and this shows what becomes of it
  deskpulse mapping try samples.jsonl --mapping tickets.toml
  message 1: mapped by tickets.toml:1
    contact.opened
      occurred_at          2026-03-02T09:14:05.000Z
      case_id              7
      …

\b
Next steps
  name the file in your configuration:  [inputs.contacts]  mapping = "tickets.toml"
  deskpulse config check
""",
)
@click.argument("file", type=click.File("rb"))
@click.option("--topic", metavar="NAME", help="Input whose configured mapping to use, if there are several.")
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), metavar="FILE", help="This mapping, whatever is configured.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list, an object for each message.")
def try_(file: BinaryIO, topic: str | None, mapping_file: Path | None, as_json: bool) -> None:
    """Show for each message in FILE what it becomes and by which rule, or why not.

    FILE holds one JSON message per line, or a JSON array of them; - is standard input. Nothing is sent anywhere.
    Exit code 1 if a message would be dead-lettered (one from the future would be too, but a sample has no Kafka timestamp to tell).
    """
    rules = _rules_of(mapping_file or _configured_mapping(topic))
    trials = [attempt(rules, message) for message in messages_in(file.read())]
    if as_json:
        click.echo(orjson.dumps([trial.plain() for trial in trials], option=orjson.OPT_INDENT_2))
    else:
        _print(trials)
    if any(trial.rejection is not None for trial in trials):
        raise SystemExit(EXIT_REFUSED)


def _rules_of(file: Path) -> Rules:
    try:
        return read_rules(file)
    except SettingsError as error:
        refuse(error, "How to write a mapping: docs/how-to/map-your-events.md")


def _configured_mapping(topic: str | None) -> Path:
    """Raises ``ClickException`` where there is none, or more than one to choose from."""
    mapped = {name: given for name, given in settings_or_exit().inputs.items() if given.mapping}
    chosen = [given for name, given in mapped.items() if topic is None or topic in {name, given.topic}]
    if len(chosen) == 1:
        return Path(chosen[0].mapping)
    if not mapped:
        raise click.ClickException("no input has a mapping: set `mapping` in its section, or use --mapping FILE")
    raise click.ClickException(f"say with --topic which mapping to use: {', '.join(mapped)}")


def _print(trials: list[Trial]) -> None:
    for number, trial in enumerate(trials, start=1):
        by = f" by {' and '.join(trial.rules)}" if trial.rules else ""
        click.echo(f"message {number}: {trial.verdict}{by if trial.rejection is None else ''}")
        if trial.rejection is not None:
            _print_rejection(trial)
        for event in trial.events:
            click.echo(f"  {event['type']}")
            for name, value in list(event.items())[1:]:
                click.echo(f"    {name:20} {value if isinstance(value, str) else orjson.dumps(value).decode()}")
    counts = {verdict: sum(trial.verdict == verdict for trial in trials) for verdict in ("mapped", "ignored", "refused")}
    events = sum(len(trial.events) for trial in trials)
    click.echo(f"\n{counts['mapped']} mapped to {events} events, {counts['ignored']} ignored, {counts['refused']} refused")


def _print_rejection(trial: Trial) -> None:
    why = trial.rejection
    assert why is not None
    text = trial.message.decode("utf-8", "replace")
    click.echo(f"  ✗ {': '.join(part for part in (why.reason, why.field, why.detail) if part)}")
    click.echo(f"    {text[:_SHOWN_OF_A_MESSAGE]}{'…' if len(text) > _SHOWN_OF_A_MESSAGE else ''}")

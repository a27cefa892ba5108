"""``deskpulse dead-letters``: what could not be accepted, why, and what to do."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import orjson

from stream_app.cli.configured import configured
from stream_app.cli.dead_letters_replay import replay
from stream_app.cli.letters import REASON, TIMEOUT, ask, reading
from stream_app.dead_letters.letters import Choice, Letter, letter_of, replayed_in
from stream_app.dead_letters.remedies import refusal, remedy
from stream_app.feeds.feed import instant
from stream_app.settings import Settings

if TYPE_CHECKING:
    from agents.intake import SourceMapping
    from stream_app.dead_letters.reading import LetterBox

COLUMNS = ("Offset", "Written", "Reason", "Field", "Origin", "Bytes", "")


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Look at what could not be accepted, and send it back once it can be."""


def _instant(_context: click.Context, _option: click.Parameter, text: str | None) -> int:
    if text is None:
        return 0
    try:
        return instant(int(text) if text.isdigit() else text)
    except ValueError as error:
        raise click.BadParameter(f"{error}; such as 2026-03-02T09:00:00Z, or epoch milliseconds") from error


@dead_letters.command(
    name="list",
    epilog="""\b
Examples
  deskpulse dead-letters list
  deskpulse dead-letters list --reason unknown_type --since 2026-03-02T00:00:00Z
  deskpulse dead-letters list --json --limit 0 | jq -c "[.topic, .reason]" | sort | uniq -c

\b
Next steps
  deskpulse dead-letters show 17     one letter with its bytes, and what to do
""",
)
@REASON
@click.option("--topic", default="", help="Only those of this input topic.")
@click.option("--since", callback=_instant, metavar="INSTANT", help="Only those written at this instant or later.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="So many of the newest; 0: all. All are counted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line instead, and no counts.")
@TIMEOUT
@configured
def list_(
    settings: Settings, *, reasons: tuple[str, ...], topic: str, since: int, limit: int, as_json: bool, timeout: float
) -> None:
    """List dead letters, without their contents, and count them by reason."""
    choice = Choice(reasons, topic, since)
    found, counts, replayed = ask(settings, timeout, lambda box: _gather(box, choice, limit or None))
    if as_json:
        for letter in found:
            click.echo(orjson.dumps(_as_json(letter, replayed=letter.offset in replayed)))
        return
    _print_table(found, replayed)
    if counts.total() > len(found):
        click.echo(f"… and {counts.total() - len(found):,} older: --limit 0 lists all")
    for reason, count in counts.most_common():
        click.echo(f"{count:7,} {reason or 'of unknown origin'}")
    click.echo(f"{counts.total():7,} dead letters")


async def _gather(box: LetterBox, choice: Choice, limit: int | None) -> tuple[Sequence[Letter], Counter[str], set[int]]:
    """The newest letters of the choice without their contents, the count of all by reason, and the offsets of those replayed."""
    newest: deque[Letter] = deque(maxlen=limit)
    counts: Counter[str] = Counter()
    replayed: set[int] = set()

    async def read(advance: Callable[[int], None]) -> None:
        async for records in box.batches(advance):
            for record in records:
                if (offsets := replayed_in(record)) is not None:
                    replayed.update(offsets)
                elif choice.takes(letter := letter_of(record)):
                    counts[letter.reason] += 1
                    newest.append(replace(letter, key=None, value=None, headers=()))

    await reading(box, read)
    return newest, counts, replayed


def _as_json(letter: Letter, *, replayed: bool) -> dict[str, object]:
    return {
        "offset": letter.offset,
        "written_at": letter.written_at,
        "reason": letter.reason,
        "field": letter.said.get("field", ""),
        "topic": letter.topic,
        "partition": letter.partition,
        "origin_offset": letter.position,
        "by": letter.by,
        "size": letter.size,
        "replayed": replayed,
    }


def _print_table(letters: Sequence[Letter], replayed: set[int]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in {"Offset", "Bytes"} else "left")
    for letter in letters:
        done = "replayed" if letter.offset in replayed else ""
        field = letter.said.get("field", "")
        table.add_row(str(letter.offset), _words(letter.written_at), letter.reason, field, letter.origin, f"{letter.size:,}", done)
    if letters:
        Console(soft_wrap=True).print(table)


@dead_letters.command(
    epilog="""\b
Next steps
  deskpulse dead-letters replay 17 --dry-run     whether it would be taken today
"""
)
@click.argument("offset", type=click.IntRange(0))
@TIMEOUT
@configured
def show(settings: Settings, offset: int, timeout: float) -> None:
    """Show one dead letter: its bytes as they came, its headers, what the decoder says of it today, and what to do."""
    letter = ask(settings, timeout, lambda box: box.letter(offset))
    if letter is None:
        raise click.ClickException(f"there is no dead letter at offset {offset}: deskpulse dead-letters list")
    for name, text in (("offset", letter.offset), ("written", _words(letter.written_at)), ("origin", letter.origin), ("by", letter.by)):
        click.echo(f"{name:9} {text}")
    for name in ("reason", "field", "detail"):
        click.echo(f"{name:9} {letter.said.get(name, '')}")
    for name, content in letter.headers:
        click.echo(f"header    {name}: {content.decode('utf-8', 'replace')}")
    click.echo(f"key       {'none' if letter.key is None else letter.key.decode('utf-8', 'replace')}")
    click.echo(f"{_pretty(letter.value)}\n")
    click.echo(f"today     {_today(letter, _mapping_of(letter, settings))}")
    click.echo(f"fix       {remedy(letter.reason)}")


def _words(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pretty(value: bytes | None) -> str:
    if value is None:
        return "no value"
    try:
        return orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, TypeError, RecursionError):
        return value.decode("utf-8", "backslashreplace")


def _mapping_of(letter: Letter, settings: Settings) -> SourceMapping | None:
    """The mapping of the input that a letter of Intake came from; others hold an event as it stands in the log."""
    from stream_app.mapping.source import source_mappings

    mappings = source_mappings(settings)
    return next((mappings.get(name) for name in settings.active_inputs() if settings.topic(name) == letter.topic), None)


def _today(letter: Letter, mapping: SourceMapping | None) -> str:
    if letter.is_cut:
        return f"the first {len(letter.value or b''):,} of {letter.size:,} bytes, so nothing can be said"
    rejection = refusal(letter.value, round(time.time() * 1000), mapping)
    if rejection is None:
        return "the decoder accepts it"
    return f"the decoder refuses it: {rejection.reason} {rejection.field} {rejection.detail}".rstrip()


dead_letters.add_command(replay)

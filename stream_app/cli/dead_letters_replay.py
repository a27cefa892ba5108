"""``deskpulse dead-letters replay``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from stream_app.cli.configured import configured
from stream_app.cli.letters import REASON, TIMEOUT, ask, reading
from stream_app.dead_letters.letters import Choice, letter_of, replayed_in
from stream_app.settings import Settings

if TYPE_CHECKING:
    from stream_app.dead_letters.reading import LetterBox
    from stream_app.dead_letters.replaying import Edit, Outcome, Terms

EXIT_NOT_ALL = 1
LEFT_SHOWN = 20


@click.command(
    epilog="""\b
Examples
  deskpulse dead-letters replay --reason from_the_future --dry-run
  deskpulse dead-letters replay 17 18
  deskpulse dead-letters replay --reason unknown_type --edit "sed s/contact.open/contact.opened/"
"""
)
@click.argument("offsets", nargs=-1, type=click.IntRange(0))
@REASON
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@click.option("--edit", "command", metavar="COMMAND", help="Mends each value: gets its bytes on standard input, gives new ones.")
@click.option("--to", "to", metavar="TOPIC", default="", help="Into this input instead of the one each came from.")
@click.option("--again", is_flag=True, help="Also those that were replayed before.")
@click.option("--anyway", is_flag=True, help="Also those that would be refused today.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@TIMEOUT
@configured
def replay(
    settings: Settings,
    *,
    offsets: tuple[int, ...],
    reasons: tuple[str, ...],
    everything: bool,
    command: str | None,
    to: str,
    again: bool,
    anyway: bool,
    dry_run: bool,
    timeout: float,
) -> None:
    """Send dead letters back into their inputs, as they were: by OFFSETS, by --reason, or all.

    Each is decoded here first, and stays if it would be refused again. What is sent is the same event with the same id, so it
    counts once, whatever became of it before; it is noted in the dead-letter topic, so the next run leaves it out. A record that
    is refused after all becomes a new dead letter. Exit code 1 if any of those chosen stays.
    """
    from stream_app.dead_letters.replaying import Terms
    from stream_app.mapping.source import source_mappings

    if not (offsets or reasons or everything):
        raise click.UsageError("which ones? Give offsets, --reason, or --all")
    inputs = {name: settings.topic(name) for name in settings.active_inputs()}
    if to and to not in {*inputs, *inputs.values()}:
        raise click.BadParameter(f"{to} is no input: {', '.join(inputs.values())}", param_hint="--to")
    now = round(time.time() * 1000)
    mappings = source_mappings(settings)
    terms = Terms(inputs, now, mappings, inputs.get(to, to), _edit(command), again=again, anyway=anyway, dry_run=dry_run)
    outcome = ask(settings, timeout, lambda box: _replay(box, settings, Choice(reasons, offsets=frozenset(offsets)), terms))
    _tell(outcome, dry_run=dry_run)
    if outcome.left:
        raise SystemExit(EXIT_NOT_ALL)


def _edit(command: str | None) -> Edit | None:
    from stream_app.dead_letters.editing import edit_with

    try:
        return None if command is None else edit_with(command)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--edit") from error


async def _replay(box: LetterBox, settings: Settings, choice: Choice, terms: Terms) -> Outcome:
    """Read the topic twice: for the notes, which come after their letters, and for the letters that were there then."""
    from aiokafka import AIOKafkaProducer

    from stream_app.app import engine_settings
    from stream_app.dead_letters.replaying import Replay
    from stream_app.kafka_access.granted import require_access
    from stream_app.kafka_access.rights import Right

    engine = engine_settings(settings)
    topics = [settings.topic(name) for name in (*settings.active_inputs(), "dead-letters")]
    await require_access(engine.bootstrap_servers, engine.security, [Right("topic", topic, "Write") for topic in topics])
    before, chosen = await reading(box, lambda advance: _look(box, choice, advance))
    producer = AIOKafkaProducer(bootstrap_servers=engine.bootstrap_servers, acks="all", **engine.security)
    await producer.start()
    try:
        run = Replay(box, producer, terms, before)
        run.outcome.left += [(offset, "not there, or not of that reason") for offset in sorted(set(choice.offsets) - chosen)]
        async for records in box.batches():
            await run.send([letter_of(record) for record in records if record.offset in chosen])
    finally:
        await producer.stop()
    return run.outcome


async def _look(box: LetterBox, choice: Choice, advance: Callable[[int], None]) -> tuple[set[int], set[int]]:
    """Offsets of the letters that were replayed before, and of those that are meant."""
    before, chosen = set[int](), set[int]()
    async for records in box.batches(advance):
        for record in records:
            if (offsets := replayed_in(record)) is not None:
                before.update(offsets)
            elif choice.takes(letter_of(record)):
                chosen.add(record.offset)
    return before, chosen


def _tell(outcome: Outcome, *, dry_run: bool) -> None:
    for offset, reason in outcome.left[:LEFT_SHOWN]:
        click.echo(f"{offset:7} stays: {reason}")
    if len(outcome.left) > LEFT_SHOWN:
        click.echo(f"… and {len(outcome.left) - LEFT_SHOWN:,} more")
    sent = "would be sent" if dry_run else "sent"
    click.echo(f"{outcome.sent:,} {sent}, {len(outcome.left):,} stay, {outcome.before:,} were replayed before")
    for reason, count in outcome.reasons.most_common():
        click.echo(f"{count:7,} {reason}")

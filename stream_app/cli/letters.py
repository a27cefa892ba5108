"""What the commands about dead letters share: options, a connection with clear errors, a bar for long reading."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stream_app.cli.progress import with_progress
from stream_app.dead_letters.remedies import REMEDIES
from stream_app.logs import only_results
from stream_app.settings import Settings

if TYPE_CHECKING:
    from stream_app.dead_letters.reading import LetterBox

_Answer = TypeVar("_Answer")

BAR_FROM = 5_000
"""Records from which on a bar shows how far the reading is."""

REASON = click.option(
    "--reason", "reasons", multiple=True, metavar="REASON", type=click.Choice(list(REMEDIES)), help="Only this reason. Repeatable."
)
TIMEOUT = click.option("--timeout", default=30.0, show_default=True, help="Seconds to wait for a broker that answers.")


def ask(settings: Settings, timeout: float, question: Callable[[LetterBox], Awaitable[_Answer]]) -> _Answer:
    """The answer, with an open letter box. Raises ``ClickException`` where there is no broker, no topic or no end."""
    from aiokafka.errors import KafkaError

    from stream_app.app import engine_settings
    from stream_app.dead_letters.reading import LETTERS, SilentTopicError, letter_box
    from stream_app.engine import RefusalError, wait_for_topics

    async def answer() -> _Answer:
        engine = engine_settings(settings)
        async with asyncio.timeout(timeout):
            await wait_for_topics(engine, [LETTERS])
        async with letter_box(engine) as box:
            return await question(box)

    only_results()
    try:
        return asyncio.run(answer())
    except TimeoutError as error:
        raise click.ClickException(f"no Kafka broker answers at {settings.kafka.bootstrap_servers}: deskpulse doctor") from error
    except (KafkaError, RefusalError, SilentTopicError) as error:
        raise click.ClickException(str(error)) from error


async def reading(box: LetterBox, read: Callable[[Callable[[int], None]], Coroutine[Any, Any, _Answer]]) -> _Answer:
    """Read the topic; where it holds much, a bar shows how far."""
    total = await box.records()
    if total < BAR_FROM:
        return await read(lambda _records: None)
    return await with_progress("reading dead letters", total, read)

"""``deskpulse config publish``: what would change, and the change itself, once for the whole installation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from models.events.canonical import FIRST_VERSION, Definitions
from stream_app.definitions.changes import Body, Change, changes
from stream_app.definitions.log import DefinitionsError, DefinitionsLog


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be written. ``published``: what holds now, ``None`` before the first worker ran.

    ``lacking``: partitions that do not have it yet, because a publisher ended between two of them.
    """

    published: Definitions | None
    wanted: Definitions
    changes: Sequence[Change]
    lacking: Sequence[TopicPartition]

    @property
    def refused(self) -> list[Change]:
        """Changes that a running system cannot take."""
        return [change for change in self.changes if change.refused]

    @property
    def due(self) -> bool:
        """Whether there is anything to write."""
        return self.published is None or bool(self.changes or self.lacking)


async def compare(log: DefinitionsLog, body: Body) -> Publication:
    """What publishing ``body`` would change now. Raises ``DefinitionsError`` where the logs do not say what holds."""
    holding = {partition: await log.holding(partition) for partition in log.partitions}
    published = holding[log.partitions[0]].definitions
    if published is None and not all(held.empty for held in holding.values()):
        raise DefinitionsError(
            f"{log.partitions[0].topic} has lost its definitions to retention before any worker wrote a checkpoint:"
            " start a worker, wait until it is ready, and publish then"
        )
    if published is None:
        return Publication(None, Definitions(FIRST_VERSION, dict(body)), (), log.partitions)
    lacking = [partition for partition, held in holding.items() if held.definitions is None or held.definitions.version < published.version]
    found = changes(published.body, body)
    wanted = Definitions(published.version + 1, dict(body)) if found else published
    return Publication(published, wanted, found, lacking)


async def publish(log: DefinitionsLog, publication: Publication) -> None:
    """Write it into every partition that lacks it. May be interrupted anywhere: the next comparison finds what is lacking.

    Raises ``DefinitionsError`` when another publisher was first; nothing of this publication holds then.
    """
    if publication.wanted is publication.published:
        await log.write(publication.wanted, publication.lacking)
        return
    winner = await log.establish(publication.wanted)
    if winner.body != publication.wanted.body:
        message = f"another one was first, and its version {winner.version} holds: run this again to see what differs now"
        raise DefinitionsError(message)
    await log.write(publication.wanted, log.partitions[1:])

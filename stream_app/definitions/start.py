"""What a worker does about definitions before it begins: the first one of an empty system puts its own into the logs."""

from __future__ import annotations

import logging

from models.events.canonical import FIRST_VERSION, Definitions
from stream_app.definitions.changes import changes
from stream_app.definitions.log import definitions_log
from stream_app.engine.settings import EngineSettings
from stream_app.settings import Settings

logger = logging.getLogger(__name__)


async def ensure_definitions(settings: Settings, engine: EngineSettings) -> None:
    """Write the definitions into every empty log partition: those that hold already, else this worker's. Say so if they differ.

    Call before anything else is written: then every log begins with its definitions. Of two first workers one wins, in every
    partition the same. All logs and changelogs must exist.
    """
    mine = Definitions(FIRST_VERSION, settings.definitions())
    async with definitions_log(engine, settings.kafka.log_partitions) as log:
        decides, empty = log.partitions[0], await log.empty()
        published = await log.published()
        if published is None and decides in empty:
            published = await log.establish(mine)
        if empty:
            await log.write(published or mine, [partition for partition in empty if partition != decides])
            logger.info("definitions written into %d empty log partitions", len(empty))
        differing = changes(published.body, mine.body) if published is not None else []
        if differing:
            logger.warning(
                "the definitions in %s differ from this worker's configuration; those in the log hold",
                decides.topic,
                extra={"event": "definitions_differ", "keys": ", ".join(change.key for change in differing)},
            )

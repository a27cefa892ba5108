"""Whether any worker is alive, by what the broker says of their group."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from stream_app.engine.settings import EngineSettings
from stream_app.state.parts import StateError


async def living_workers(settings: EngineSettings) -> list[str]:
    """Members of the workers' group, as ``client at host``. Raises ``StateError`` when the broker does not say."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, **settings.security)
    try:
        await admin.start()
        answers = await admin.describe_consumer_groups([settings.group_id])
    except KafkaError as error:
        raise StateError(f"the broker does not say whether workers are alive ({type(error).__name__})") from error
    finally:
        await admin.close()
    members: list[str] = []
    for answer in answers:
        for code, _group, _state, _type, _protocol, found, *_ in answer.groups:
            if code:
                raise StateError(f"the broker does not say whether workers are alive ({for_code(code).__name__}): try again")
            members += [f"{client} at {host}" for _id, client, host, *_ in found]
    return members

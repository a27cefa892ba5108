"""A real Apache Kafka (KRaft, no ZooKeeper) on this machine: one broker, or a cluster of combined broker/controller nodes."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from stream_app.brokers import BrokerStartError
from stream_app.brokers.kafka_jars import jars, java
from stream_app.brokers.loopback import HOST, free_ports, known_brokers, require_free
from stream_app.brokers.process import BrokerProcess

LOGGING = Path(__file__).with_name("kafka_log4j2.xml")

START_TIMEOUT_SECONDS = 120.0
"""A first start takes 3 to 4 s; after a kill with much data the log recovery alone can take more than 20 s."""

MEMORY = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Xshare:auto")


@dataclass(frozen=True)
class Node:
    """Identity and ports of one combined broker and controller."""

    node_id: int
    port: int
    controller_port: int


@dataclass(frozen=True)
class ClusterPlan:
    """What all nodes of one cluster have to agree on."""

    cluster_id: str
    nodes: tuple[Node, ...]


def new_plan(size: int, ports: Sequence[int] = ()) -> ClusterPlan:
    """A plan with fresh identity; client ports are the given ones, the others are free ones."""
    free = free_ports(2 * size)
    chosen = (*ports, *free[len(ports) : size])
    identity = bytes([uuid.uuid4().bytes[0] & 0x7F]) + uuid.uuid4().bytes[1:]  # a leading dash would be taken for an option
    cluster_id = base64.urlsafe_b64encode(identity).rstrip(b"=").decode()
    return ClusterPlan(cluster_id, tuple(Node(i + 1, chosen[i], free[size + i]) for i in range(size)))


class KafkaBroker(BrokerProcess):
    """One broker. Its data survives ``stop``, ``kill`` and ``restart``; a data directory made here goes with ``close``.

    Topics are never created on demand. ``overrides``: further broker settings, in place of those of ``properties``.
    Raises ``BrokerUnavailableError`` from ``start`` without Java 17 or Kafka's jars.
    """

    def __init__(
        self,
        *,
        data_dir: Path | None = None,
        port: int | None = None,
        plan: ClusterPlan | None = None,
        node: Node | None = None,
        overrides: Mapping[str, object] | None = None,
        start_timeout_seconds: float = START_TIMEOUT_SECONDS,
    ) -> None:
        super().__init__(name="kafka", data_dir=data_dir, start_timeout_seconds=start_timeout_seconds)
        self._overrides = overrides or {}
        self._plan = plan or new_plan(1, ports=() if port is None else (port,))
        self._node = node or self._plan.nodes[0]
        self._configuration = self.data_dir / "server.properties"

    @property
    def port(self) -> int:
        return self._node.port

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    def _serves(self) -> bool:
        return known_brokers(self.port) >= 1

    def _prepare(self) -> Sequence[str]:
        require_free(self.port)
        libraries = jars()
        run = [java(), *MEMORY, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", f"{libraries}/*"]
        self._configuration.write_text(properties(self._plan, self._node, self.data_dir / "log", self._overrides))
        if not (self.data_dir / "log" / "meta.properties").exists():
            self._format(run)
        return [*run, "kafka.Kafka", str(self._configuration)]

    def _format_options(self) -> Sequence[str]:
        """Further arguments of the formatting: the first users, say."""
        return ()

    def _format(self, run: Sequence[str]) -> None:
        command = [*run, "kafka.tools.StorageTool", "format", "-t", self._plan.cluster_id, "-c", str(self._configuration)]
        command += self._format_options()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            hint = "Kafka needs Java 17 or newer.\n" if "UnsupportedClassVersionError" in done.stderr else ""
            message = f"Kafka's storage could not be formatted. {hint}{done.stdout}{done.stderr}"
            raise BrokerStartError(message)


def properties(plan: ClusterPlan, node: Node, log_dir: Path, overrides: Mapping[str, object] | None = None) -> str:
    """``server.properties`` of one node: small, quick to start, replicated as far as the cluster allows."""
    size = len(plan.nodes)
    voters = ",".join(f"{n.node_id}@{HOST}:{n.controller_port}" for n in plan.nodes)
    in_sync = 2 if size > 2 else 1  # noqa: PLR2004 - three nodes go on without one
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        "controller.quorum.voters": voters,
        "listeners": f"CLIENT://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}",
        "advertised.listeners": f"CLIENT://{HOST}:{node.port}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": log_dir,
        "auto.create.topics.enable": "false",
        "default.replication.factor": size,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": size,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": size,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": size,
        "share.coordinator.state.topic.min.isr": in_sync,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "broker.session.timeout.ms": 1500,
        "broker.heartbeat.interval.ms": 300,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in (settings | dict(overrides or {})).items())


class KafkaCluster:
    """Several nodes that start, stop and close together; each may be killed and restarted alone through ``nodes``."""

    def __init__(self, size: int = 3, *, data_dir: Path | None = None) -> None:
        self._temporary = None if data_dir else tempfile.TemporaryDirectory(prefix="deskpulse-kafka-cluster-")
        base = data_dir or Path(self._temporary.name if self._temporary else "")
        plan = new_plan(size)
        self.nodes = [KafkaBroker(data_dir=base / f"node-{node.node_id}", plan=plan, node=node) for node in plan.nodes]

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Start all nodes and wait until each of them names all of them."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until(lambda port=node.port: known_brokers(port) == len(self.nodes))  # type: ignore[misc]

    def stop(self) -> None:
        for node in self._in_reverse():
            node.stop()

    def kill(self) -> None:
        for node in self._in_reverse():
            node.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        for node in self.nodes:
            node.resume()

    def close(self) -> None:
        if self._temporary is None:
            self.stop()
        else:
            self.kill()
        for node in self.nodes:
            node.close()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.cleanup()

    def _in_reverse(self) -> Iterator[KafkaBroker]:
        return reversed(self.nodes)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""The services of ``docker-compose.yml`` as processes, with their own commands, variables and health checks; Docker is not needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stream_app.brokers.kafka import KafkaBroker
from stream_app.brokers.kafka_jars import jars, java
from stream_app.brokers.loopback import free_ports, known_brokers
from stream_app.cli.health import ask
from stream_app.demonstration.waiting import answer
from stream_app.settings import parse_settings
from tests.support import compose
from tests.support.containers import ContainedProcess, contained
from tests.support.requirements import program
from tests.support.waiting import eventually

SERVICES = compose.services()
LONG_RUNNING = ("worker-1", "worker-2", "board", "simulator")


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    folder = tmp_path / "tokens"
    folder.mkdir()
    make_tokens(folder)
    return folder


def make_tokens(folder: Path) -> None:
    subprocess.run(SERVICES["tokens"]["entrypoint"], cwd=folder, env={"PATH": os.environ["PATH"]}, check=True)


def test_secrets_are_made_once_and_are_for_their_group_only(tokens: Path) -> None:
    made = {file.name: file.read_text() for file in tokens.iterdir()}
    assert made.keys() == {"metrics", "board", "grafana"}
    assert len(set(made.values())) == 3
    for name, secret in made.items():
        assert len(bytes.fromhex(secret)) == 32
        assert (tokens / name).stat().st_mode & 0o777 == 0o640
    (tokens / "board").unlink()
    make_tokens(tokens)
    assert (tokens / "metrics").read_text() == made["metrics"]
    assert (tokens / "board").read_text() not in {"", made["board"]}


def test_a_contained_process_can_write_where_it_may_only(tmp_path: Path) -> None:
    kept, other = tmp_path / "kept", tmp_path / "other"
    kept.mkdir()
    script = f"touch {kept}/a && ! touch {other} && ! chown 1 {kept}/a"
    subprocess.run(contained(["sh", "-c", script], [kept]), capture_output=True, check=True)
    assert (kept / "a").exists()
    assert not other.exists()


class Crew:
    """Our services on one real Kafka, in topics of their own."""

    def __init__(self, kafka: KafkaBroker, prefix: str, tokens: Path) -> None:
        self.changes = {"kafka:19092": kafka.bootstrap, "0.0.0.0": "127.0.0.1", "/tokens": str(tokens)}
        self.variables = {"DESKPULSE_KAFKA__TOPIC_PREFIX": prefix, "DESKPULSE_KAFKA__GROUP_PREFIX": prefix}
        self.variables["DESKPULSE_CONFIG"] = str(compose.ROOT / "deskpulse.toml")
        for name in ("contacts", "resolutions", "surveys"):
            self.variables[f"DESKPULSE_INPUTS__{name.upper()}__TOPIC"] = f"{prefix}-{name}"
        self.ports = dict(zip(LONG_RUNNING, free_ports(len(LONG_RUNNING)), strict=True))

    def environment(self, name: str) -> dict[str, str]:
        port = str(self.ports.get(name, 0))
        ports = {"DESKPULSE_METRICS__PORT": port, "DESKPULSE_BOARD__PORT": port}
        return compose.environment(SERVICES[name], self.changes) | self.variables | ports

    def once(self, name: str) -> None:
        subprocess.run(
            contained(outside(compose.command(SERVICES[name]))), env={"PATH": os.environ["PATH"], **self.environment(name)}, check=True
        )

    def process(self, name: str) -> ContainedProcess:
        service = SERVICES[name]
        health = [] if "x-no-healthcheck" in service else outside(compose.health_command(service))
        return ContainedProcess(name, outside(compose.command(service)), self.environment(name), health=health)

    def figures(self) -> str:
        """What the board answers to those who have its token."""
        return ask(parse_settings("", environment=self.environment("board")).board, "board", "/api/kpis")[1]

    def status_without_token(self, name: str, path: str) -> int:
        return answer(f"http://127.0.0.1:{self.ports[name]}{path}")[0]


def outside(words: Sequence[str]) -> list[str]:
    assert words[0] == "deskpulse"
    return [sys.executable, "-m", "stream_app.cli", *words[1:]]


@pytest.fixture
def crew(kafka: KafkaBroker, prefix: str, tokens: Path) -> Crew:
    return Crew(kafka, prefix, tokens)


def test_our_services_become_healthy_one_after_the_other_and_end_cleanly(crew: Crew) -> None:
    with ExitStack() as stack:
        crew.once("topics")
        processes = {name: stack.enter_context(crew.process(name)) for name in LONG_RUNNING}
        eventually(lambda: '"kpi":"offered"' in crew.figures(), within_seconds=60, what="a figure on the board")
        assert crew.status_without_token("board", "/api/kpis") == 401
        assert crew.status_without_token("worker-1", "/metrics") == 401
        codes = {name: process.ends(within_seconds=grace(name)) for name, process in reversed(processes.items())}
    assert codes == dict.fromkeys(LONG_RUNNING, 0)


def grace(name: str) -> float:
    """Seconds that Docker gives the service to end."""
    return float(SERVICES[name]["stop_grace_period"].removesuffix("s"))


@pytest.mark.prometheus
def test_prometheus_reads_both_workers_with_their_token_and_tells_alertmanager(crew: Crew, tmp_path: Path) -> None:
    with ExitStack() as stack:
        crew.once("topics")
        for name in ("worker-1", "worker-2"):
            stack.enter_context(crew.process(name))
        alerts = started(stack, "alertmanager", tmp_path, {})
        changes = {"/tokens/": f"{crew.changes['/tokens']}/", "15s": "1s", "alertmanager:9093": alerts}
        changes |= {f"{name}:9464": f"127.0.0.1:{crew.ports[name]}" for name in ("worker-1", "worker-2")}
        metrics = started(stack, "prometheus", tmp_path, changes)
        wanted = {changes[f"{name}:9464"]: "up" for name in ("worker-1", "worker-2")}
        eventually(lambda: scraped(metrics) == wanted, within_seconds=20, what="both workers")
        assert len(asked(metrics, "/api/v1/alertmanagers")["activeAlertmanagers"]) == 1
        assert {rule["health"] for group in asked(metrics, "/api/v1/rules")["groups"] for rule in group["rules"]} <= {"ok", "unknown"}


def started(stack: ExitStack, name: str, folder: Path, changes: dict[str, str]) -> str:
    """A server with the checkout's configuration and the service's own options, found ready by its own health check; its address."""
    service = SERVICES[name]
    address = f"127.0.0.1:{free_ports(1)[0]}"
    configuration = shutil.copytree(compose.ROOT / "prometheus", folder / f"{name}-configuration")
    file = configuration / f"{name}.yml"
    file.write_text(compose.replaced([file.read_text()], changes)[0])
    data = folder / f"{name}-data"
    data.mkdir()
    paths = {f"=/etc/{name}/": f"={configuration}/", f"=/{name}": f"={data}"}
    command = [program(name, f"prometheus-{name}"), *compose.replaced(service["command"], paths), f"--web.listen-address={address}"]
    port = service["ports"][0].rpartition(":")[2]
    health = compose.replaced(compose.health_command(service), {f"127.0.0.1:{port}": address})
    stack.enter_context(ContainedProcess(name, command, {}, health=health, writable=[data]))
    return address


def asked(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as response:
        return json.load(response)["data"]


def scraped(address: str) -> dict[str, str]:
    """Health by address of the worker."""
    return {target["labels"]["instance"]: target["health"] for target in asked(address, "/api/v1/targets")["activeTargets"]}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[ContainedProcess, int, int]]:
    """Kafka from the variables of its service, by the wrapper that the image starts it with; ports for the host and for containers."""
    host, controller, inside = free_ports(3)
    folders = {name: tmp_path / name for name in ("data", "config", "default", "mounted", "tmp")}
    for folder in folders.values():
        folder.mkdir()
    service = SERVICES["kafka"]
    changes = {"kafka:19092": f"127.0.0.1:{inside}", ":19092": f":{inside}", ":9092": f":{host}", ":9093": f":{controller}"}
    changes |= {"/var/lib/kafka/data": str(folders["data"]), "/etc/kafka/log4j2.xml": str(compose.ROOT / mounted_logging())}
    variables = compose.environment(service, changes) | {"CLUSTER_ID": base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()}
    virtual_machine = [java(), variables["KAFKA_HEAP_OPTS"], variables["KAFKA_LOG4J_OPTS"], "-cp", f"{jars()}/*"]
    setup = [*virtual_machine, "kafka.docker.KafkaDockerWrapper", "setup", "--default-configs-dir", str(folders["default"])]
    setup += ["--mounted-configs-dir", str(folders["mounted"]), "--final-configs-dir", str(folders["config"])]
    writable = [folders[name] for name in ("data", "config", "tmp")]
    subprocess.run(contained(setup, writable), env={"PATH": os.environ["PATH"], **variables}, check=True)
    command = [*virtual_machine, f"-Djava.io.tmpdir={folders['tmp']}", "kafka.Kafka", str(folders["config"] / "server.properties")]
    health = compose.replaced(compose.health_command(service), {"/9092": f"/{host}"})
    with ContainedProcess("kafka", command, variables, health=health, writable=writable) as process:
        yield process, host, inside


def mounted_logging() -> str:
    """The file of the checkout that the service mounts as its logging configuration."""
    volumes: list[str] = SERVICES["kafka"]["volumes"]
    return next(text.split(":")[0] for text in volumes if ":/etc/kafka/log4j2.xml:" in text)


@pytest.mark.kafka
def test_kafka_is_configured_by_its_service_and_serves_host_and_containers(broker: tuple[ContainedProcess, int, int]) -> None:
    process, host, inside = broker
    for port in (host, inside):
        eventually(lambda port=port: known_brokers(port) == 1, what=f"an answer on {port}")  # type: ignore[misc]
    assert process.ends(within_seconds=30) == 143

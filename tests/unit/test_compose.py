"""What can be known of ``docker-compose.yml`` without Docker."""

from __future__ import annotations

import json
import re
from typing import Any

import click
import jsonschema_rs
import pytest
import yaml

from stream_app.brokers.kafka_jars import KAFKA_VERSION
from stream_app.settings import parse_settings
from tests.support import compose
from tests.support.compose import ROOT, Service

SCHEMA = json.loads((ROOT / "tests/data/compose-spec/compose-spec.json").read_text())
SERVICES = compose.services()
EXPECTED = {"kafka", "tokens", "topics", "worker-1", "worker-2", "board", "simulator", "prometheus", "alertmanager", "grafana"}
ALLOWED_IMAGES = {"apache/kafka", "prom/prometheus", "prom/alertmanager", "grafana/grafana", "deskpulse"}
LONGEST_CLEAN_STOP_SECONDS = 10

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def mounts(service: Service) -> list[tuple[str, str, bool]]:
    """Source, target, and whether it is read-only."""
    split = [text.split(":") for text in service.get("volumes", [])]
    return [(parts[0], parts[1], parts[2:] == ["ro"]) for parts in split]


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def test_all_that_belongs_to_it_is_there() -> None:
    assert SERVICES.keys() == EXPECTED


def test_the_file_is_valid_by_the_schema_of_the_compose_specification() -> None:
    jsonschema_rs.Draft7Validator(SCHEMA).validate(compose.document())


def test_the_schema_finds_a_key_that_does_not_exist() -> None:
    read = compose.document()
    read["services"]["board"]["helthcheck"] = {}
    with pytest.raises(jsonschema_rs.ValidationError, match="helthcheck"):
        jsonschema_rs.Draft7Validator(SCHEMA).validate(read)


@every_service
def test_images_are_known_and_pinned_to_one_version(service: Service) -> None:
    name, _, version = service["image"].rpartition(":")
    assert name in ALLOWED_IMAGES
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", version)


def test_versions_are_those_of_the_project() -> None:
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert project is not None
    assert {given["image"] for given in compose.ours().values()} == {f"deskpulse:{project[1]}"}
    assert f'image.version="{project[1]}"' in (ROOT / "Dockerfile").read_text()
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@every_service
def test_ports_are_published_on_loopback_only(service: Service) -> None:
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


@every_service
def test_what_is_mounted_exists_and_files_of_the_checkout_are_read_only(service: Service) -> None:
    volumes = compose.document()["volumes"]
    for source, _, read_only in mounts(service):
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert read_only, source
        else:
            assert source in volumes


@every_service
def test_every_service_is_contained(service: Service) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].partition(":")[0] not in {"", "0", "root"}
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys()
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()
    assert all("size=" in given for given in service.get("tmpfs", []))


@every_service
def test_every_service_has_a_health_check_or_says_why_not(service: Service) -> None:
    check = service["healthcheck"]
    if "x-no-healthcheck" in service:
        assert check == {"disable": True}
    else:
        assert compose.health_command(service)
        assert seconds(check["timeout"]) <= seconds(check["interval"])


@every_service
def test_those_that_are_waited_for_can_fulfil_it(service: Service) -> None:
    for name, wanted in service.get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert compose.health_command(SERVICES[name])
        else:
            assert wanted["condition"] == "service_completed_successfully"
            assert SERVICES[name]["restart"] == "no"


@pytest.mark.parametrize("name", ["worker-1", "worker-2"])
def test_a_worker_is_started_again_after_a_failure_only_and_has_the_time_for_a_last_checkpoint(name: str) -> None:
    assert SERVICES[name]["restart"] == "on-failure"
    assert seconds(SERVICES[name]["stop_grace_period"]) > LONGEST_CLEAN_STOP_SECONDS


@pytest.mark.parametrize("service", compose.ours().values(), ids=compose.ours())
def test_commands_are_accepted_by_the_command_line(service: Service) -> None:
    compose.parse(compose.command(service))
    if "x-no-healthcheck" not in service:
        compose.parse(compose.health_command(service))


def test_a_command_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        compose.parse(["deskpulse", "topics", "make"])
    with pytest.raises(click.UsageError):
        compose.parse(["deskpulse", "simulate", "--speed", "20"])


@pytest.mark.parametrize("service", compose.ours().values(), ids=compose.ours())
def test_variables_are_settings(service: Service) -> None:
    settings = parse_settings((ROOT / "deskpulse.toml").read_text(), environment=compose.environment(service, {}))
    assert settings.kafka.bootstrap_servers == "kafka:19092"
    assert settings.time.simulated


def test_who_can_be_reached_from_other_containers_asks_for_a_token_that_is_made_and_mounted() -> None:
    made = re.search(r"for name in ([a-z ]+);", SERVICES["tokens"]["entrypoint"][-1])
    assert made is not None
    settings = parse_settings("", environment=compose.environment(SERVICES["board"], {}))
    for server in (settings.metrics, settings.board):
        assert server.host == "0.0.0.0"
        assert server.token_file is not None
        assert server.token_file.parent.as_posix() == "/tokens"
        assert server.token_file.name in made[1].split()
    for name in ("worker-1", "worker-2", "board", "prometheus", "grafana"):
        assert ("tokens", "/tokens", True) in mounts(SERVICES[name])


def test_prometheus_scrapes_the_workers_with_their_token() -> None:
    scraped = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    jobs = [job for job in scraped if any("worker" in target for target in targets(job))]
    assert len(jobs) == 1
    assert sorted(targets(jobs[0])) == ["worker-1:9464", "worker-2:9464"]
    assert jobs[0]["authorization"]["credentials_file"] == compose.environment(SERVICES["worker-1"], {})["DESKPULSE_METRICS__TOKEN_FILE"]


def targets(job: dict[str, Any]) -> list[str]:
    return [target for group in job.get("static_configs", []) for target in group["targets"]]

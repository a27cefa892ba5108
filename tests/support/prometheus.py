"""A real Prometheus and a real Alertmanager on free loopback ports, each in a temporary folder, ended with the test."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from stream_app.brokers.loopback import HOST, free_ports
from stream_app.brokers.process import BrokerProcess
from stream_app.demonstration.waiting import answer
from tests.support.requirements import program

SHORT_INTERVAL = "500ms"
START_SECONDS = 30.0
PATIENCE_SECONDS = 10.0
OK = 200

Configuration = Mapping[str, Any]
"""What the file of the server would hold; it is written as JSON, which is YAML too."""


class Sample(NamedTuple):
    labels: dict[str, str]
    value: float


def scraping(addresses: Iterable[str], *, interval: str = SHORT_INTERVAL, job: str = "deskpulse") -> Configuration:
    """A configuration that scrapes ``/metrics`` of these addresses (``host:port``) as one job."""
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": list(addresses)}]}],
    }


class _Server(BrokerProcess):
    """What the two have in common; not a broker, but started, guarded and ended like one."""

    def __init__(self, name: str, configuration: Configuration) -> None:
        self._port = free_ports(1)[0]
        super().__init__(name=name, data_dir=None, start_timeout_seconds=START_SECONDS)
        self._configuration = configuration

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self._port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def _serves(self) -> bool:
        return answer(f"{self.url}/-/ready")[0] == OK

    def _configuration_file(self) -> Path:
        file = self.data_dir / f"{self.name}.yml"
        file.write_bytes(orjson.dumps(self._configuration))
        return file

    def _get(self, path: str, **parameters: str) -> Any:
        """The JSON answer to a GET. Raises ``urllib.error.HTTPError`` for a refused one."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - our own http address
            return orjson.loads(response.read())


class Prometheus(_Server):
    """``with Prometheus(scraping([address])) as prometheus: prometheus.query("up")``."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__("prometheus", configuration)

    def _prepare(self) -> Sequence[str]:
        return (
            program("prometheus"),
            f"--config.file={self._configuration_file()}",
            f"--storage.tsdb.path={self.data_dir / 'data'}",
            f"--web.listen-address={self.address}",
        )

    def query(self, expression: str) -> list[Sample]:
        """An instant vector, as of now."""
        found = self._get("/api/v1/query", query=expression)["data"]
        assert found["resultType"] == "vector", found
        return [Sample(series["metric"], float(series["value"][1])) for series in found["result"]]

    def targets(self) -> list[dict[str, Any]]:
        """The active targets, each with ``health`` (``up``, ``down``, ``unknown``) and ``lastError``."""
        found: list[dict[str, Any]] = self._get("/api/v1/targets", state="active")["data"]["activeTargets"]
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing alerts, each with ``state`` and ``labels``."""
        found: list[dict[str, Any]] = self._get("/api/v1/alerts")["data"]["alerts"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Every loaded rule, each with ``health`` and ``lastError``."""
        groups = self._get("/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


class Alertmanager(_Server):
    """One Alertmanager without a cluster."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__("alertmanager", configuration)

    def _prepare(self) -> Sequence[str]:
        return (
            program("prometheus-alertmanager", "alertmanager"),
            f"--config.file={self._configuration_file()}",
            f"--storage.path={self.data_dir / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        )

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts it holds, each with ``labels`` and ``status`` (``state``, ``inhibitedBy``, ``silencedBy``)."""
        found: list[dict[str, Any]] = self._get("/api/v2/alerts")
        return found

    def post(self, labels: Mapping[str, str], *, firing: bool) -> None:
        """What a Prometheus would tell it: that this alert fires (for an hour, unless told otherwise), or that it is over."""
        now = datetime.now(UTC)
        alert = {"labels": labels, "startsAt": now - timedelta(hours=1), "endsAt": now + timedelta(hours=1 if firing else 0)}
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", orjson.dumps([alert]), {"Content-Type": "application/json"})  # noqa: S310 - our own http address
        urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).close()  # noqa: S310 - as above

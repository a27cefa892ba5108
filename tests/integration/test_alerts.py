"""Real trouble at a real worker, seen by a real Prometheus, told by a real Alertmanager, and told again when it is over.

Rules and configurations are those of ``prometheus/`` with every duration a sixtieth (``tests.support.alert_rules.shortened``)
and our addresses in place of the examples'.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from stream_app.brokers.kafka import KafkaBroker
from stream_app.brokers.loopback import HOST, free_ports
from stream_app.settings import load_settings
from stream_app.topic_admin import create_topics
from stream_app.topics import specs_of
from tests.oracle.workers import WorkerPool
from tests.support.alert_rules import FOLDER, RULE_FILES, alertmanager_telling, load, shortened
from tests.support.prometheus import Alertmanager, Prometheus
from tests.support.waiting import eventually
from tests.support.webhook import Told, webhook

pytestmark = [pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.slow]

MINUTE = 60_000


class Watched:
    """A worker with a Prometheus, an Alertmanager and an inbox."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.bootstrap, self.directory = bootstrap, directory
        self.prefix = f"test-{uuid.uuid4().hex[:10]}"
        self.address = f"{HOST}:{free_ports(1)[0]}"
        self.token = directory / "token"
        self.token.write_text(secrets.token_urlsafe())
        self.workers = WorkerPool(self._worker_configuration(), directory, 1)

    def _worker_configuration(self) -> Path:
        file = self.directory / "deskpulse.toml"
        inputs = "".join(f'[inputs.{name}]\ntopic = "{self.prefix}-{name}"\n' for name in ("contacts", "resolutions", "surveys"))
        port = self.address.rpartition(":")[2]
        file.write_text(
            f'[kafka]\nbootstrap_servers = "{self.bootstrap}"\ntopic_prefix = "{self.prefix}"\ngroup_prefix = "{self.prefix}"\n'
            f'[engine]\nsession_timeout = "6s"\n[metrics]\nport = {port}\ntoken_file = "{self.token}"\n{inputs}'
        )
        return file

    def prometheus_configuration(self, alertmanager: str) -> Any:
        """The example, with our addresses, our token and the shortened rules."""
        configuration = shortened(load(FOLDER / "prometheus.yml"))
        [scraped] = configuration["scrape_configs"]
        scraped["static_configs"] = [{"targets": [self.address]}]
        scraped["authorization"]["credentials_file"] = str(self.token)
        configuration["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
        configuration["rule_files"] = [str(self._shortened(file)) for file in RULE_FILES]
        return configuration

    def _shortened(self, file: Path) -> Path:
        target = self.directory / file.name
        target.write_bytes(orjson.dumps(shortened(load(file))))
        return target

    def start(self, stack: ExitStack) -> None:
        settings = load_settings(self.workers.configuration, {})
        asyncio.run(create_topics(self.bootstrap, specs_of(settings)))
        stack.callback(self.workers.stop)
        self.workers.start()
        self.inbox = stack.enter_context(webhook())
        self.alertmanager = stack.enter_context(Alertmanager(alertmanager_telling(self.inbox.address)))
        self.prometheus = stack.enter_context(Prometheus(self.prometheus_configuration(self.alertmanager.address)))
        eventually(self._works, within_seconds=60, what="an active Rollup with numbers of now")

    def _works(self) -> bool:
        self.workers.check()
        return bool(self.prometheus.query("deskpulse:kpis_are_live:bool == 1 and max(deskpulse_rollup_active) == 1"))

    async def send(self, *values: bytes) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(f"{self.prefix}-contacts", value)
        finally:
            await producer.stop()

    def told(self, alert: str, status: str, within_seconds: float = 30) -> Told:
        """Wait for the message."""
        what = f"{alert} {status}"
        return eventually(lambda: self.inbox.about(alert, status), within_seconds=within_seconds, what=what)[0]


@pytest.fixture(scope="module")
def watched(kafka: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with ExitStack() as stack:
        watched = Watched(kafka.bootstrap, tmp_path_factory.mktemp("alerts"))
        watched.start(stack)
        yield watched


def event(kind: str, occurred_at: int, **fields: Any) -> bytes:
    told = {"type": kind, "occurred_at": occurred_at, "case_id": "T-1", "contact_id": "C-1", "event_id": f"T-1/{kind}", **fields}
    return orjson.dumps(told)


async def test_a_breach_and_a_dead_letter_are_told_and_a_reply_in_time_that_comes_to_light_ends_the_breach(watched: Watched) -> None:
    now = int(time.time() * 1000)
    assert watched.inbox.names("firing") == set()
    opened = {"queue": "billing", "channel": "email", "priority": "normal", "due": {"first_reply": now - MINUTE}}

    await watched.send(b"\xff not JSON", event("contact.opened", now - 3 * MINUTE, **opened))

    breach = await asyncio.to_thread(watched.told, "DeskpulseSLABreaches", "firing")
    letter = await asyncio.to_thread(watched.told, "DeskpulseDeadLetters", "firing")
    assert (breach.path, breach.labels["metric"], breach.labels["queue"]) == ("/team", "first_reply", "billing")
    assert breach.annotations["summary"] == "1 first_reply target(s) breached in queue billing in 15 minutes"
    assert letter.labels["found_by"] == "intake"

    await watched.send(event("contact.answered", now - 2 * MINUTE, representative_id="R-1"))

    await asyncio.to_thread(watched.told, "DeskpulseSLABreaches", "resolved")
    await asyncio.to_thread(watched.told, "DeskpulseDeadLetters", "resolved")
    assert watched.inbox.names("firing") == {"DeskpulseSLABreaches", "DeskpulseDeadLetters"}


def test_a_worker_that_is_killed_is_told_to_those_on_call_and_so_is_its_return(watched: Watched) -> None:
    [worker] = watched.workers.processes
    assert worker is not None
    worker.kill()
    worker.wait()

    assert watched.told("DeskpulseNoWorker", "firing").path == "/on-call"
    down = [alert for alert in watched.alertmanager.alerts() if alert["labels"]["alertname"] == "DeskpulseWorkerDown"]
    assert [alert["labels"]["instance"] for alert in down if alert["status"]["inhibitedBy"]] == [watched.address]

    watched.workers.start()

    assert watched.told("DeskpulseNoWorker", "resolved").path == "/on-call"
    assert "DeskpulseWorkerDown" not in watched.inbox.names("firing")


def test_every_rule_has_been_evaluated_without_an_error(watched: Watched) -> None:
    assert {rule["name"]: rule["lastError"] for rule in watched.prometheus.rules() if rule["health"] != "ok"} == {}

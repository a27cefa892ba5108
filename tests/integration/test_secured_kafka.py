"""A real Kafka with TLS, users and ACLs: the whole pipeline on it, and what is said to those it does not let in."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stream_app.demonstration.waiting import answer
from stream_app.engine import ExitCode
from stream_app.feeds.replay import ReplayPlan, replay
from stream_app.feeds.simulator import SimulatedFeed
from stream_app.kafka_access.security import client_security
from stream_app.settings import Settings
from stream_app.snapshots.reading import read_latest
from tests.support.certificates import Authority, written
from tests.support.pipeline import Pipeline
from tests.support.secured_installation import Installation
from tests.support.secured_kafka import READER, SENDER, WORKER, SecuredKafka
from tests.support.waiting import eventually

EVENTS = 1_500
FIGURES_AT_LEAST = 100
PUBLISH_CYCLES = 40
"""Rollup does a part of its work in each."""
REFUSES = "worker refuses to run (exit 77): "
WAY_OUT = "`deskpulse topics acls` prints the commands that give all rights"

Figures = dict[str, tuple[object, ...]]


@pytest.fixture(scope="module")
def installation(secured_kafka: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DESKPULSE_CONFIG", raising=False)
        yield Installation(secured_kafka, tmp_path_factory.mktemp("secured"))


def span(rows: Iterable[Mapping[str, Any]]) -> Figures:
    """The figures over everything, by KPI and group.

    Without those that say nothing: a group that had data only between a survey and the late opening of its case may have a row or none.
    """
    names = ("value", "numerator", "denominator", "n")
    whole = [row for row in rows if row["window"] == "span" and any(row.get(name) for name in names)]
    return {json.dumps([row["kpi"], row["group"]], sort_keys=True): tuple(row.get(name) for name in names) for row in whole}


def expected(settings: Settings, feed: SimulatedFeed) -> Figures:
    """The same events through the processors in memory."""
    pipeline = Pipeline(settings.kafka.log_partitions, settings.definitions())
    for event in feed.events():
        if event.event["type"] != "source.progress":
            pipeline.feed(event.topic, event.event)
    pipeline.drain()
    pipeline.declare(feed.outline().final_instant)
    for _ in range(PUBLISH_CYCLES):
        pipeline.drain()
    return span(pipeline.newest("kpi-windows").values())


async def send(settings: Settings, feed: SimulatedFeed) -> None:
    topics = {name: settings.topic(name) for name in settings.active_inputs()}
    await replay(feed, settings.kafka.bootstrap_servers, ReplayPlan(topics=topics), security=client_security(settings.kafka))


async def published(settings: Settings) -> Figures:
    """What stands on the output topic now."""
    contents = await read_latest(settings.kafka.bootstrap_servers, settings.topic("kpi-windows"), security=client_security(settings.kafka))
    return span(json.loads(value) for value in contents.values())


def test_the_whole_pipeline_runs_with_the_printed_rights_and_its_figures_are_exact(installation: Installation) -> None:
    feed = SimulatedFeed(5, EVENTS, days=2)
    with installation.running(WORKER, "worker") as worker, installation.running(READER, "board") as board:
        asyncio.run(send(installation.settings(SENDER), feed))
        truth = expected(installation.settings(WORKER), feed)
        assert len(truth) > FIGURES_AT_LEAST
        reader = installation.settings(READER)
        try:
            eventually(lambda: asyncio.run(published(reader)) == truth, within_seconds=120, what="exactly the expected figures")
        except AssertionError as late:
            found = asyncio.run(published(reader))
            differing = {key: (truth.get(key), found.get(key)) for key in truth.keys() | found.keys() if truth.get(key) != found.get(key)}
            late.add_note(f"{len(differing)} of {len(truth)} differ, such as {list(differing.items())[:5]}; the worker says: {worker.log}")
            raise

        address = board.says(r"Board on (http://\S+)/ ")
        eventually(lambda: '"kpi":"opened"' in answer(f"{address}/api/kpis?kpi=opened")[1], within_seconds=15, what="a row on the board")
        snapshot = installation.run(READER, "snapshot", "--kpi", "opened", "--all", "--json")
        assert json.loads(snapshot.stdout), snapshot.output

        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(20) == ExitCode.CLEAN, worker.log
        logs = worker.log + board.log + installation.run(WORKER, "config", "show").output
        assert not [user for user, password in installation.kafka.passwords.items() if password in logs]
    verified = installation.run(WORKER, "state", "verify")
    assert " 0 differences" in verified.output, verified.output


def test_the_doctor_is_content_and_reads_the_time_from_what_a_worker_writes(installation: Installation) -> None:
    with installation.running(WORKER, "worker", progress="wall") as worker:
        assert worker.says("(recovered) 8 partitions")
        doctor = installation.run(WORKER, "doctor")
    assert doctor.exit_code == 0, doctor.output
    assert f'✓ ok       access: user "{WORKER}" by SASL_SSL, with every right that a worker needs' in doctor.output
    assert re.search(r"✓ ok +clock: \d\.\d s", doctor.output), doctor.output


def test_a_wrong_password_is_one_sentence_with_the_way_out(installation: Installation, tmp_path: Path) -> None:
    wrong = written(tmp_path / "wrong", "not this one")
    with installation.running(WORKER, "worker", sasl_password_file=wrong) as worker:
        (said,) = worker.refusal()
    reason = f'the broker at {installation.kafka.bootstrap} does not let in user "{WORKER}" with this password (SCRAM-SHA-512)'
    remedy = "correct kafka.sasl_username, or the file of kafka.sasl_password_file"
    assert said == f"{REFUSES}{reason}: {remedy}"
    told(installation, reason, remedy, sasl_password_file=wrong)


def test_a_wrong_authority_is_one_sentence_with_the_way_out(installation: Installation, tmp_path: Path) -> None:
    other = written(tmp_path / "other.pem", Authority("another").certificate_pem())
    with installation.running(WORKER, "worker", ssl_ca_file=other) as worker:
        (said,) = worker.refusal()
    remedy = "put the certificate of the authority that the brokers use into the file of kafka.ssl_ca_file"
    reason = f"the certificate of the broker at {installation.kafka.bootstrap} is not from an authority that we trust"
    assert said.startswith(f"{REFUSES}{reason} (")
    assert said.endswith(f"): {remedy}")
    told(installation, reason, remedy, ssl_ca_file=other)


@pytest.mark.parametrize(
    ("taken", "lacking", "resource"),
    [
        (rf"User:{WORKER} .*--group", "Read group deskpulse-worker", "group deskpulse-worker"),
        (rf"User:{WORKER} .*--topic contacts", "Read topic contacts, Read topic resolutions, Read topic surveys", "topic contacts"),
        (rf"User:{WORKER} .*prefixed", "Read topic deskpulse.events, Write topic deskpulse.events, ", "topic deskpulse.events"),
    ],
)
def test_a_missing_right_is_one_sentence_that_names_it(installation: Installation, taken: str, lacking: str, resource: str) -> None:
    with installation.without(taken):
        with installation.running(WORKER, "worker") as worker:
            (said,) = worker.refusal()
        doctor = installation.run(WORKER, "doctor")
    assert said.startswith(f'{REFUSES}the brokers do not allow user "{WORKER}" to {lacking}')
    assert said.endswith(f": {WAY_OUT}")
    assert doctor.exit_code == 1
    assert f'✗ problem  access to {resource}: user "{WORKER}" lacks the right to Read' in doctor.output
    assert f"→ {WAY_OUT}" in doctor.output
    assert "topics create" not in doctor.output


def test_other_commands_end_with_the_same_sentence_and_code(installation: Installation) -> None:
    for user, command in ((SENDER, "snapshot"), (READER, "simulate"), (READER, "topics create"), (WORKER, "topics create"), (READER, "state verify")):
        ended = installation.run(user, *command.split())
        if command == "topics create" and user == WORKER:
            assert ended.exit_code == 0  # nothing was missing, so nothing had to be created
            continue
        assert ended.exit_code == ExitCode.ACCESS_DENIED, (command, ended.output)
        assert ended.stderr.startswith(f'✗ the brokers do not allow user "{user}" to '), (command, ended.output)


def test_another_mechanism_or_protocol_than_the_listeners_is_told(installation: Installation) -> None:
    ended = installation.run(READER, "snapshot", sasl_mechanism="SCRAM-SHA-256")
    assert (ended.exit_code, "does not offer SCRAM-SHA-256: set kafka.sasl_mechanism" in ended.stderr) == (77, True), ended.output
    ended = installation.run(READER, "snapshot", security_protocol="SSL", sasl_username="", sasl_password_file="")
    assert "it may want another kafka.security_protocol than SSL" in ended.stderr, ended.output


def told(installation: Installation, reason: str, remedy: str, **changes: Path) -> None:
    """The doctor and the others say the same, with their own codes."""
    doctor = installation.run(WORKER, "doctor", "--quiet", **changes)
    assert doctor.exit_code == 1
    assert f"✗ problem  access: {reason}" in doctor.output
    assert f"→ {remedy}" in doctor.output
    for command in (["snapshot"], ["topics", "describe"], ["simulate"], ["state", "verify"]):
        ended = installation.run(WORKER, *command, **changes)
        assert ended.exit_code == ExitCode.ACCESS_DENIED, (command, ended.output)
        assert ended.stderr.startswith(f"✗ {reason}"), (command, ended.output)
        assert len(ended.stderr.splitlines()) == 1

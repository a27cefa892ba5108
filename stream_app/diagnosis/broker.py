"""What the broker says of itself, of our rights, our topics, our consumer groups, and what time it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream_app.diagnosis.access import access_findings, doctor_rights
from stream_app.diagnosis.clock import clock_difference
from stream_app.diagnosis.findings import Finding, ok, problem, unknown, warning
from stream_app.diagnosis.retention import retention_findings
from stream_app.kafka_access.granted import missing_rights
from stream_app.kafka_access.security import AccessDeniedError, ClientSecurity, client_security
from stream_app.settings import Settings
from stream_app.topic_admin import TopicsError, existing_topics
from stream_app.topics import ExistingTopic, TopicSpec, differences, specs_of

WAIT_SECONDS = 5.0
LARGE_LAG_RECORDS = 10_000


async def broker_findings(settings: Settings, *, make_topic: bool) -> list[Finding]:
    """Everything that only the broker can tell. With ``make_topic`` one may be made to ask for the time, and deleted again."""
    server = settings.kafka.bootstrap_servers
    security = client_security(settings.kafka)
    specs = specs_of(settings)
    try:
        existing = await existing_topics(server, [spec.name for spec in specs], wait_seconds=WAIT_SECONDS, security=security)
        missing = await missing_rights(server, security, doctor_rights(settings))
    except AccessDeniedError as error:
        return [problem("access", error.reason, error.remedy)]
    except (TopicsError, KafkaError) as error:
        return [problem("broker", str(error), "start it (`deskpulse broker embedded`), or set kafka.bootstrap_servers")]
    visible = [spec for spec in specs if spec.name in existing or not any(right.name == spec.name for right in missing)]
    async with _admin(server, security) as admin:
        findings = [*await _cluster(admin, settings), *access_findings(settings, security, missing)]
        findings += [*topic_findings(settings, visible, existing), *retention_findings(settings, visible, existing)]
        findings += await _group_findings(admin, settings, security, _consumed(settings, existing))
    findings.append(await clock_difference(settings, security, existing, make_topic=make_topic))
    return findings


@asynccontextmanager
async def _admin(server: str, security: ClientSecurity) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=server, **security)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _cluster(admin: AIOKafkaAdminClient, settings: Settings) -> list[Finding]:
    cluster: dict[str, Any] = await admin.describe_cluster()
    brokers = cluster.get("brokers", [])
    nodes = ", ".join(f"{node['node_id']} at {node['host']}:{node['port']}" for node in brokers)
    found = [ok("broker", f"answers; cluster {cluster.get('cluster_id') or 'without an id'}; broker {nodes}")]
    copies = settings.kafka.replication_factor
    if copies > len(brokers):
        remedy = "start more brokers, or lower it before the topics are created"
        found.append(problem("kafka.replication_factor", f"{copies}, but there are {len(brokers)} brokers", remedy))
    elif copies == 1 and len(brokers) > 1:
        found.append(warning("kafka.replication_factor", "1: a lost broker loses data", "use 3 when creating the topics"))
    return found


def topic_findings(settings: Settings, specs: Iterable[TopicSpec], existing: Mapping[str, ExistingTopic]) -> Iterator[Finding]:
    """Differences between wanted and existing topics, one finding each; one alone when everything is in order."""
    wanted = list(specs)
    missing = [spec.name for spec in wanted if spec.name not in existing]
    if missing:
        yield problem("topics", f"{len(missing)} of {len(wanted)} are missing: {', '.join(missing)}", "run `deskpulse topics create`")
    found = differences([spec for spec in wanted if spec.name in existing], existing)
    for difference in found:
        what = f"{difference.what} is {difference.actual}, should be {difference.expected}"
        yield problem(f"topic {difference.topic}", what, difference.remedy)
    if not found and not missing:
        yield ok("topics", f"all {len(wanted)} are there, with the right partitions and cleanup")
    yield from _input_findings(settings, existing)


def _input_findings(settings: Settings, existing: Mapping[str, ExistingTopic]) -> Iterator[Finding]:
    for name, given in settings.active_inputs().items():
        topic = existing.get(given.topic)
        if topic is None:
            continue
        detail = f"topic {given.topic}, {topic.partitions} partitions, progress {given.progress}"
        if topic.partitions == given.partitions:
            yield ok(f"input {name}", detail)
        else:
            detail += f", but the configuration says {given.partitions}"
            yield warning(f"input {name}", detail, f"set inputs.{name}.partitions = {topic.partitions}")


def _consumed(settings: Settings, existing: Mapping[str, ExistingTopic]) -> list[TopicPartition]:
    """The partitions whose offsets workers commit."""
    names = [settings.topic(name) for name in (*settings.active_inputs(), "events", "customer-log")]
    return [TopicPartition(name, number) for name in names if name in existing for number in range(existing[name].partitions)]


async def _group_findings(
    admin: AIOKafkaAdminClient, settings: Settings, security: ClientSecurity, partitions: list[TopicPartition]
) -> list[Finding]:
    try:
        groups = sorted(name for name, *_ in await admin.list_consumer_groups() if _is_ours(name, settings))
    except KafkaError as error:
        return [unknown("consumer groups", f"the broker does not list them ({error})")]
    if not groups:
        return [warning("consumer groups", "no worker has ever run here", "start one: `deskpulse worker`")]
    return [await _lag(admin, settings, security, group, partitions) for group in groups]


def _is_ours(group: str, settings: Settings) -> bool:
    prefix = settings.kafka.group_prefix
    return group == prefix or group.startswith((f"{prefix}-", f"{prefix}."))


async def _lag(
    admin: AIOKafkaAdminClient, settings: Settings, security: ClientSecurity, group: str, partitions: list[TopicPartition]
) -> Finding:
    subject = f"group {group}"
    try:
        answered = await admin.list_consumer_group_offsets(group, partitions=partitions)
        committed = {partition: place.offset for partition, place in answered.items() if place.offset >= 0}
        ends = await _end_offsets(settings.kafka.bootstrap_servers, security, list(committed))
    except KafkaError as error:
        return unknown(subject, f"its offsets can not be read ({error})")
    behind = {partition: max(0, ends[partition] - offset) for partition, offset in committed.items()}
    lag = sum(behind.values())
    if lag <= LARGE_LAG_RECORDS:
        return ok(subject, f"{lag:,} records behind in {len(behind)} partitions")
    worst = max(behind, key=lambda partition: behind[partition])
    detail = f"{lag:,} records behind; most in {worst.topic} partition {worst.partition} ({behind[worst]:,})"
    return warning(subject, detail, "is a worker running (/readyz)? If it only can not keep up, start more of them")


async def _end_offsets(server: str, security: ClientSecurity, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=server, enable_auto_commit=False, **security)
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()

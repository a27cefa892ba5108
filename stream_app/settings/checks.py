"""Checks of values against each other and against the world's names: zones, dimensions, topics, addresses."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from stream_app.access import is_loopback
from stream_app.settings.durations import format_duration
from stream_app.settings.problems import suggestion
from stream_app.settings.schema import DIMENSIONS, SLA_METRICS, Settings
from stream_app.settings.sources import KeyPath

Finding = tuple[KeyPath, str]

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")
SECURITY_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL")
_SERVER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):\d{1,5}")
CHECKPOINTS_IN_LAG = 3_600
"""Checkpoints within which every live key is written again for sure (``models.durability.compaction``), with a margin of a fifth."""
_RESERVED_VALUES = ("other", "unset")
# The defaults name channels and priorities that a list of one's own need not have: they are not checked against it.
_DEFAULTS = Settings()


def cross_checks(settings: Settings) -> Iterator[Finding]:
    """Every contradiction in settings whose single values are sound."""
    for check in _CHECKS:
        yield from check(settings)


def _servers(settings: Settings) -> Iterator[Finding]:
    for server in settings.kafka.bootstrap_servers.split(","):
        if not _SERVER.fullmatch(server.strip()):
            yield ("kafka", "bootstrap_servers"), f'has "{server.strip()}": write host:port, such as "127.0.0.1:9092"'


def _security(settings: Settings) -> Iterator[Finding]:
    kafka = settings.kafka
    path = ("kafka", "security_protocol")
    if kafka.security_protocol == "SASL_PLAINTEXT":
        yield path, 'is "SASL_PLAINTEXT", which sends the password in clear text: use "SASL_SSL"'
    elif kafka.security_protocol not in SECURITY_PROTOCOLS:
        yield path, f'is "{kafka.security_protocol}".{suggestion(kafka.security_protocol, SECURITY_PROTOCOLS)}'
    elif kafka.security_protocol == "SASL_SSL":
        yield from _needed(settings, ("sasl_username", "sasl_password_file"))
    else:
        yield from _useless(settings, ("sasl_username", "sasl_password_file"), '"SASL_SSL": no password is sent without encryption')
    if kafka.security_protocol == "PLAINTEXT":
        files = ("ssl_ca_file", "ssl_certificate_file", "ssl_key_file", "ssl_key_password_file")
        yield from _useless(settings, files, '"SSL" or "SASL_SSL"')
    if kafka.ssl_certificate_file is None and (kafka.ssl_key_file or kafka.ssl_key_password_file):
        yield ("kafka", "ssl_certificate_file"), "is missing: a private key alone is of no use"


def _needed(settings: Settings, keys: Iterable[str]) -> Iterator[Finding]:
    for key in keys:
        if not getattr(settings.kafka, key):
            yield ("kafka", key), f'is missing: kafka.security_protocol = "{settings.kafka.security_protocol}" needs it'


def _useless(settings: Settings, keys: Iterable[str], protocols: str) -> Iterator[Finding]:
    for key in keys:
        if getattr(settings.kafka, key):
            current = settings.kafka.security_protocol
            yield ("kafka", key), f'is of no use with kafka.security_protocol = "{current}": take it away, or use {protocols}'


def _names(settings: Settings) -> Iterator[Finding]:
    for key in ("topic_prefix", "group_prefix"):
        if not _TOPIC.fullmatch(getattr(settings.kafka, key)):
            yield ("kafka", key), "may hold only letters, digits, dot, underscore and hyphen"


def _inputs(settings: Settings) -> Iterator[Finding]:
    if not settings.active_inputs():
        yield ("inputs",), "no input is enabled: at least one is needed"
    owners: dict[str, str] = {}
    for name, given in settings.inputs.items():
        path = ("inputs", name, "topic")
        if not _TOPIC.fullmatch(given.topic):
            yield path, "may hold only letters, digits, dot, underscore and hyphen"
        if given.topic.startswith(f"{settings.kafka.topic_prefix}."):
            yield path, f"begins with the prefix of our own topics, `{settings.kafka.topic_prefix}.`"
        if given.topic in owners:
            yield path, f'is "{given.topic}", which is already the topic of [inputs.{owners[given.topic]}]'
        owners[given.topic] = name
        if given.enabled and given.mapping and not Path(given.mapping).is_file():
            yield ("inputs", name, "mapping"), f'is "{given.mapping}", and there is no such file'


def _zone(settings: Settings) -> Iterator[Finding]:
    name = settings.kpis.zone
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        yield ("kpis", "zone"), f'"{name}" is not a time zone.{suggestion(name, zoneinfo.available_timezones())}'


def _grouping_sets(settings: Settings) -> Iterator[Finding]:
    seen: set[frozenset[str]] = set()
    for grouping in settings.kpis.grouping_sets:
        path = ("kpis", "grouping_sets")
        for name in grouping:
            if name not in DIMENSIONS:
                yield path, f"`{name}` is not a dimension.{suggestion(name, DIMENSIONS)}"
        if len(set(grouping)) < len(grouping) or frozenset(grouping) in seen:
            yield path, f"{list(grouping)} says the same thing twice"
        seen.add(frozenset(grouping))
    if frozenset() not in seen:
        yield ("kpis", "grouping_sets"), "the total is missing: add []"


def _dimensions(settings: Settings) -> Iterator[Finding]:
    for name in (*DIMENSIONS, "route"):
        values: tuple[str, ...] | None = getattr(settings.dimensions, name)
        for value in values or ():
            if value in _RESERVED_VALUES or not value:
                yield ("dimensions", name), f'"{value}" is a value of our own and can not be listed'
        if values is not None and len(set(values)) < len(values):
            yield ("dimensions", name), "lists a value twice"


def _queued_channels(settings: Settings) -> Iterator[Finding]:
    listed, queued = settings.dimensions.channel, settings.kpis.queued_channels
    if listed is None or queued == _DEFAULTS.kpis.queued_channels:
        return
    for channel in queued:
        if channel not in listed:
            yield ("kpis", "queued_channels"), f'"{channel}" is not in dimensions.channel.{suggestion(channel, listed)}'


def _sla_targets(settings: Settings) -> Iterator[Finding]:
    for metric, targets in settings.sla.targets.items():
        if metric not in SLA_METRICS:
            yield ("sla", "targets", metric), f"unknown metric.{suggestion(metric, SLA_METRICS)}"
        elif targets != _DEFAULTS.sla.targets[metric]:
            yield from _priorities(metric, targets, settings.dimensions.priority)


def _priorities(metric: str, targets: Iterable[str], listed: tuple[str, ...] | None) -> Iterator[Finding]:
    if listed is None:
        return
    for priority in targets:
        if priority not in (*listed, "default"):
            yield ("sla", "targets", metric, priority), f"is not in dimensions.priority.{suggestion(priority, listed)}"


def _windows(settings: Settings) -> Iterator[Finding]:
    horizon = settings.time.horizon
    for key in ("repeat_window", "reopen_window"):
        window = getattr(settings.kpis, key)
        if window > horizon:
            longest = format_duration(horizon)
            yield ("kpis", key), f"is longer than time.horizon ({longest}): what is forgotten can not be compared"
    if settings.time.ahead_limit > horizon:
        yield ("time", "ahead_limit"), f"is longer than time.horizon ({format_duration(horizon)})"


def _engine(settings: Settings) -> Iterator[Finding]:
    engine = settings.engine
    if engine.stall_timeout <= engine.checkpoint_interval:
        yield ("engine", "stall_timeout"), "must be longer than engine.checkpoint_interval"
    if engine.compaction_lag < CHECKPOINTS_IN_LAG * engine.checkpoint_interval:
        least = f"{CHECKPOINTS_IN_LAG} times engine.checkpoint_interval, {format_duration(CHECKPOINTS_IN_LAG * engine.checkpoint_interval)}"
        yield ("engine", "compaction_lag"), f"must be at least {least}: not every key is written again before"
    if engine.fetch_wait >= settings.kafka.request_timeout:
        yield ("engine", "fetch_wait"), "must be shorter than kafka.request_timeout"


def _addresses(settings: Settings) -> Iterator[Finding]:
    for name, given in (("metrics", settings.metrics), ("board", settings.board)):
        if not is_loopback(given.host) and given.token_file is None:
            yield (name, "host"), f'"{given.host}" can be reached from other machines: set {name}.token_file, or use 127.0.0.1'


_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _servers,
    _security,
    _names,
    _inputs,
    _zone,
    _grouping_sets,
    _dimensions,
    _queued_channels,
    _sla_targets,
    _windows,
    _engine,
    _addresses,
)

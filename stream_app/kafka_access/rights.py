"""Who may do what on the brokers: the list that the documentation shows, that `topics acls` prints, and that is looked for at start.

Whoever has `Read` or `Write` needs no `Describe`: both imply it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from stream_app.settings import Settings

Role = Literal["admin", "worker", "reader", "sender"]
Resource = Literal["topic", "group"]

OUTPUTS = ("kpis", "kpi-windows", "case-events", "sla-events", "cases")
_READ_BACK = ("events", "customer-log", "panes", "kpis", "kpi-windows", "cases-changelog", "customers-changelog")
_ONLY_WRITTEN = ("case-events", "sla-events", "cases", "dead-letters")


@dataclass(frozen=True)
class Grant:
    """What one kind of user may do. With ``prefixed`` the one name stands for all topics that begin with it."""

    role: Role
    resource: Resource
    names: tuple[str, ...]
    operations: tuple[str, ...]
    prefixed: bool = False


class Right(NamedTuple):
    """One operation on one topic or group."""

    resource: Resource
    name: str
    operation: str

    def __str__(self) -> str:
        return f"{self.operation} {self.resource} {self.name}"


def grants(settings: Settings) -> list[Grant]:
    """Everything that has to be allowed, and nothing more."""
    ours = (f"{settings.kafka.topic_prefix}.",)
    inputs = tuple(settings.topic(name) for name in settings.active_inputs())
    creating = ("Create", "Describe", "DescribeConfigs")
    return [
        Grant("admin", "topic", ours, creating, prefixed=True),
        Grant("admin", "topic", inputs, creating),
        Grant("worker", "topic", ours, ("Read", "Write", "DescribeConfigs"), prefixed=True),
        Grant("worker", "topic", inputs, ("Read", "DescribeConfigs")),
        Grant("worker", "group", (settings.group("worker"),), ("Read",)),
        Grant("reader", "topic", tuple(settings.topic(name) for name in OUTPUTS), ("Read",)),
        Grant("sender", "topic", inputs, ("Write",)),
    ]


def worker_rights(settings: Settings) -> list[Right]:
    """Without which a worker can not do its work."""
    group = Right("group", settings.group("worker"), "Read")
    return [
        *topic_rights(settings, settings.active_inputs(), "Read"),
        *topic_rights(settings, _READ_BACK, "Read", "Write"),
        *topic_rights(settings, _ONLY_WRITTEN, "Write"),
        group,
    ]


def topic_rights(settings: Settings, logical_names: Iterable[str], *operations: str) -> list[Right]:
    """So many operations on each of the topics."""
    return [Right("topic", settings.topic(name), operation) for name in logical_names for operation in operations]


def acl_commands(settings: Settings, principals: Mapping[Role, Sequence[str]], command: str) -> Iterator[str]:
    """One shell command per grant. ``command``: how `kafka-acls.sh` is called, with its connection."""
    for grant in grants(settings):
        words = [command, "--add", *(f"--allow-principal {principal}" for principal in principals[grant.role])]
        words += [f"--operation {operation}" for operation in grant.operations]
        words += [f"--{grant.resource} {name}" for name in grant.names]
        if grant.prefixed:
            words.append("--resource-pattern-type prefixed")
        yield " ".join(words)


def acl_table(settings: Settings) -> str:
    """The same as a Markdown table."""
    lines = ["| User | On | May |", "|---|---|---|"]
    for grant in grants(settings):
        names = ", ".join(f"`{name}`" for name in grant.names)
        kind = "topics that begin with" if grant.prefixed else f"{grant.resource}s" if len(grant.names) > 1 else grant.resource
        lines.append(f"| {grant.role} | {kind} {names} | {', '.join(grant.operations)} |")
    return "\n".join(lines) + "\n"

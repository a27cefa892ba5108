"""Who we are to the brokers, and what of a worker's work they do not allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stream_app.diagnosis.findings import Finding, ok, problem, warning
from stream_app.kafka_access.granted import ACLS
from stream_app.kafka_access.rights import Right, worker_rights
from stream_app.kafka_access.security import ClientSecurity, exposed_secrets
from stream_app.settings import Settings
from stream_app.topics import specs_of

_LOOKING = "DescribeConfigs"


def doctor_rights(settings: Settings) -> list[Right]:
    """What a worker needs, and what it takes to compare the settings of topics."""
    return [*worker_rights(settings), *(Right("topic", spec.name, _LOOKING) for spec in specs_of(settings))]


def access_findings(settings: Settings, security: ClientSecurity, missing: Sequence[Right]) -> Iterator[Finding]:
    """One finding per topic or group with rights that are missing; one alone when none is."""
    for sentence in exposed_secrets(settings.kafka):
        about, _, remedy = sentence.partition(": ")
        yield warning("access", about, remedy)
    if not security.authenticates:
        yield ok("access", "no encryption and no user (kafka.security_protocol is PLAINTEXT)")
    elif not missing:
        yield ok("access", f"{security.user} by {settings.kafka.security_protocol}, with every right that a worker needs")
    operations: dict[str, list[str]] = {}
    for right in missing:
        operations.setdefault(f"{right.resource} {right.name}", []).append(right.operation)
    for what, lacking in operations.items():
        yield _lacking(security, what, lacking)


def _lacking(security: ClientSecurity, what: str, operations: list[str]) -> Finding:
    detail = f"{security.user} lacks the right to {', '.join(operations)}"
    if operations == [_LOOKING]:
        return warning(f"access to {what}", f"{detail}: its settings are not compared", ACLS)
    return problem(f"access to {what}", detail, ACLS)

"""``deskpulse doctor``: looks at everything that can be wrong from outside a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import click

from stream_app.cli.configured import configured
from stream_app.diagnosis.broker import broker_findings
from stream_app.diagnosis.findings import Finding, Level
from stream_app.diagnosis.software import software_findings
from stream_app.logs import only_results
from stream_app.settings import Settings

EXIT_PROBLEMS = 1


@click.command(
    epilog="""\b
Examples
  deskpulse doctor
  deskpulse --config deskpulse.toml doctor --read-only

\b
Exit codes
  0  nothing is wrong       1  something is       2  the configuration is
"""
)
@click.option("--read-only", is_flag=True, help="Make no topic on the broker: the clocks are then compared only while a worker runs.")
@click.option("--quiet", is_flag=True, help="Only what is not well.")
@configured
def doctor(settings: Settings, *, read_only: bool, quiet: bool) -> None:
    """Say what is wrong around here, and what to do about each thing.

    Looks at Python and the libraries, the configuration, the broker, the rights there, the topics (partitions, cleanup,
    retention, compaction), the inputs, how far the workers are behind, and the difference between this clock and the
    broker's. For the last one a small topic is made on the broker and deleted again; where brokers know users
    (kafka.security_protocol) the next record that a worker writes is read instead.
    """
    only_results()
    findings = [*software_findings(), *asyncio.run(broker_findings(settings, make_topic=not read_only))]
    for finding in findings:
        if not quiet or finding.level is not Level.OK:
            for line in finding.lines():
                click.echo(line)
    click.echo(_summary(findings))
    if any(finding.level is Level.PROBLEM for finding in findings):
        raise SystemExit(EXIT_PROBLEMS)


def _summary(findings: Iterable[Finding]) -> str:
    levels = [finding.level for finding in findings]
    problems, warnings = levels.count(Level.PROBLEM), levels.count(Level.WARNING)
    if problems or warnings:
        return f"\n{problems} to mend, {warnings} to look at. Where to look next: docs/how-to/when-something-is-wrong.md"
    return "\nNothing is wrong here. Is a worker ready? Ask its /readyz."

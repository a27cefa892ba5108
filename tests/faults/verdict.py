"""What must hold after every fault, beside the KPIs: no output missing, none contradicting itself, no false alarm, every record accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson

from agents.cases import CasesProcessor
from stream_app.settings import Settings
from stream_app.wire.keyed import CASES
from tests.oracle import published

EVENT_TOPICS = ("case-events", "sla-events")
OUTCOMES = ("applied", "redelivered", "duplicates", "conflicts", "too_late", "row_full", "handler_errors")
SHOWN = 5


@dataclass
class Verdict:
    """``problems``: what is wrong, in words; none is the aim. The numbers are for the table's note."""

    problems: list[str] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    retracted: int = 0


async def look(
    bootstrap: str, settings: Settings, *, left_out: str = "", contradicted: bool = False
) -> tuple[Verdict, set[tuple[str, str]]]:
    """Read what is in the topics; answers also the (case, metric) pairs whose breach was announced.

    ``left_out``: prefix of cases whose events a handler with a bug has refused. ``contradicted``: senders gave one id two contents.
    """
    verdict = Verdict()
    log = await _log(bootstrap, settings)
    expected = uninterrupted(settings, log, left_out)
    breached: set[tuple[str, str]] = set()
    for topic in EVENT_TOPICS:
        found = Counter([_sorted(record.value) async for record in published.records(bootstrap, settings.topic(topic))])
        verdict.repeated += found.total() - len(found)
        _same(topic, expected[topic], found.keys(), verdict)
        said: dict[str, bytes] = {}
        for value in found:
            body = orjson.loads(value)
            if said.setdefault(body["id"], value) is not value and not contradicted:
                verdict.problems.append(f"one id, two contents: {said[body['id']].decode()} and {value.decode()}")
            verdict.retracted += body["kind"] == "retracted"
            if body["kind"] == "breached":
                breached.add((body["case_id"], body["metric"]))
    await _accounts(bootstrap, settings, log, verdict)
    return verdict, breached


def _sorted(value: bytes | None) -> bytes:
    return orjson.dumps(orjson.loads(value or b"{}"), option=orjson.OPT_SORT_KEYS)


async def _log(bootstrap: str, settings: Settings) -> dict[int, list[Any]]:
    log: dict[int, list[Any]] = {number: [] for number in range(settings.kafka.log_partitions)}
    async for record in published.records(bootstrap, settings.topic("events")):
        log[record.partition].append(record)
    return log


def uninterrupted(settings: Settings, log: Mapping[int, list[Any]], left_out: str = "") -> dict[str, set[bytes]]:
    """What one run over the same canonical log, in memory and without any fault, puts out, per topic."""
    outputs: dict[str, set[bytes]] = {topic: set() for topic in EVENT_TOPICS}
    processor = CasesProcessor(settings.kafka.log_partitions, CASES)
    for number, records in log.items():
        state = processor.new_state(number)
        kept = [record for record in records if not left_out or not (record.key or b"").startswith(left_out.encode())]
        for output in processor.handle(state, kept):
            if output.topic in outputs:
                outputs[output.topic].add(_sorted(output.value))
    return outputs


def _same(topic: str, expected: AbstractSet[bytes], found: AbstractSet[bytes], verdict: Verdict) -> None:
    for what, values in (("missing", expected - found), ("not those of the uninterrupted run", found - expected)):
        if values:
            verdict.problems.append(f"{topic}: {len(values)} outputs {what}, such as {min(values).decode()}")


async def _accounts(bootstrap: str, settings: Settings, log: Mapping[int, list[Any]], verdict: Verdict) -> None:
    """Every input record is in the log, a dead letter or the sender's word on its progress; every one of the log was counted once."""
    events = [orjson.loads(record.value)["origin"] for records in log.values() for record in records if record.key is not None]
    dead: set[str] = set()
    async for record in published.records(bootstrap, settings.topic("dead-letters")):
        headers = {name: content.decode() for name, content in record.headers}
        verdict.dead_letters[headers["reason"]] += 1
        if headers["by"] == "intake":
            dead.add(f"{headers['topic']}-{headers['partition']}@{headers['offset']}")
    sent = progress = 0
    for name in settings.active_inputs():
        async for record in published.records(bootstrap, settings.topic(name)):
            sent += 1
            progress += b'"source.progress"' in (record.value or b"")[:40]
    if sent != progress + len(set(events)) + len(dead):
        verdict.problems.append(f"{sent} sent, but {progress} progress, {len(set(events))} in the log, {len(dead)} dead letters")
    await _count(bootstrap, settings, verdict)
    counted = sum(verdict.counters[name] for name in OUTCOMES)
    if counted != len(events):
        verdict.problems.append(f"{len(events)} records in the log, {counted} counted: {dict(verdict.counters)}")
    verdict.counters["sent"] = sent - progress


async def _count(bootstrap: str, settings: Settings, verdict: Verdict) -> None:
    newest: dict[bytes, tuple[list[int], dict[str, int]]] = {}
    async for record in published.records(bootstrap, settings.topic("panes")):
        if record.key.startswith(b'["s","cases"') and record.value is not None:
            body = orjson.loads(record.value)
            known = newest.get(record.key)
            if known is None or known[0] <= body["fence"]:
                newest[record.key] = body["fence"], body["counters"]
    for _, counters in newest.values():
        verdict.counters.update(counters)


def false_alarms(directory: Path, breached: set[tuple[str, str]], verdict: Verdict, *, late: bool) -> None:
    """Breaches that the truth does not know, and those that nobody announced. ``judge`` has left its tables in the directory.

    ``late``: the load had events behind what their senders had declared; a breach may then have been taken back.
    """
    with duckdb.connect(directory / "oracle.duckdb", read_only=True) as connection:
        rows = connection.execute("SELECT case_id, metric, verdict FROM clock").fetchall()
    truth = {(case, metric): found for case, metric, found in rows}
    false = sorted(pair for pair in breached if pair in truth and truth[pair] != "breached")
    missing = sorted(pair for pair, found in truth.items() if found == "breached" and pair not in breached)
    if false and not late:
        verdict.problems.append(f"{len(false)} false breaches, such as {false[:SHOWN]}")
    if missing:
        verdict.problems.append(f"{len(missing)} breaches not announced, such as {missing[:SHOWN]}")

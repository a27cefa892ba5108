"""Verification over an in-memory log: what is compared, and as of which record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from agents.ports import Record
from models.events.canonical import Definitions
from stream_app.engine.settings import EngineSettings
from stream_app.state.parts import Part
from stream_app.state.rerun import Rerun
from stream_app.state.verify import Findings, Stretch, Verification
from tests.support.pipeline import LogRecord, Pipeline

HOUR = 3_600_000
NINE = 490_000 * HOUR


class MemoryLog:
    """What a ``LogReader`` gives, from a list."""

    def __init__(self, records: list[LogRecord]) -> None:
        self._records = records
        self._next = 0

    async def read(self, most: int) -> Sequence[Record]:
        found = self._records[self._next : self._next + most]
        assert found, "read beyond the end of the log"
        self._next += len(found)
        return found


@pytest.fixture
def pipeline() -> Pipeline:
    """Three cases in two hours, published one after the other."""
    made = Pipeline(1, rollup=False)
    for number in range(3):
        at = NINE + number * 45 * 60_000
        opened = {
            "type": "contact.opened",
            "event_id": f"e{number}",
            "occurred_at": at,
            "case_id": f"c{number}",
            "contact_id": f"k{number}",
        }
        made.feed("contacts", opened | {"channel": "phone", "queue": "billing", "priority": "high", "customer_id": "u1"})
        made.drain()
    return made


async def found(pipeline: Pipeline, published: list[LogRecord], stretch: Stretch | None = None) -> Findings:
    part = Part(pipeline.processors[0], 0)
    verification = Verification(EngineSettings(), [part], stretch or Stretch(), Definitions(1, {}))
    verification._published.absorb(published)
    log: Any = MemoryLog(pipeline.topics.partitions["events", 0])
    await verification._compare(part, Rerun(part, log, part.processor.new_state(0), lambda _: None))
    return verification.findings


def is_pane(record: LogRecord) -> bool:
    return (record.key or b"").startswith(b'["p","cases"')


async def test_what_was_published_is_what_the_log_gives(pipeline: Pipeline) -> None:
    findings = await found(pipeline, pipeline.topics.all("panes"))
    assert findings.panes == 2
    assert findings.same


async def test_a_pane_that_is_ahead_of_the_newest_status_is_compared_as_of_its_own_record(pipeline: Pipeline) -> None:
    records = pipeline.topics.all("panes")
    last = max(number for number, record in enumerate(records) if is_pane(record))
    findings = await found(pipeline, records[: last + 1])
    assert findings.panes == 2
    assert findings.same


async def test_a_pane_that_was_never_published_is_a_difference(pipeline: Pipeline) -> None:
    first = next(record for record in pipeline.topics.all("panes") if is_pane(record))
    findings = await found(pipeline, [record for record in pipeline.topics.all("panes") if record.key != first.key])
    assert {(entry.key, entry.recomputed, entry.published) for entry in findings.differences} >= {("opened", 2, 0), ("offered", 2, 0)}


async def test_a_wrong_count_is_a_difference_of_its_key_alone(pipeline: Pipeline) -> None:
    records = pipeline.topics.all("panes")
    last = [record for record in records if is_pane(record)][-1]
    value = msgspec.json.decode(last.value or b"")
    last.value = msgspec.json.encode(value | {"facts": value["facts"] | {"opened": 9}})
    findings = await found(pipeline, records)
    assert [(entry.key, entry.recomputed, entry.published) for entry in findings.differences] == [("opened", 1, 9)]


async def test_only_slices_that_start_within_the_stretch_are_compared(pipeline: Pipeline) -> None:
    assert (await found(pipeline, pipeline.topics.all("panes"), Stretch(NINE + HOUR, NINE + 2 * HOUR))).panes == 1
    assert (await found(pipeline, pipeline.topics.all("panes"), Stretch(NINE + 1, NINE + HOUR))).panes == 0

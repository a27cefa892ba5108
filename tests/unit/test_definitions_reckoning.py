"""How the test of a change under load reckons is how Cases counts, wherever marks and the change fall among a case's events."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest

from agents.cases import CasesProcessor
from models.durability.fence import unpack
from models.events.canonical import Definitions, Event, Mark
from stream_app.settings import parse_settings
from stream_app.settings.definitions import definitions_body
from stream_app.wire.keyed import CASES
from tests.support.definitions_load import LONG, NEW, OLD, REPLY_DUE, SHORT, answered_under

EPOCH = 1_790_000_000_000


def events(wait: int) -> list[Event]:
    times = {"contact.opened": 0, "contact.answered": wait, "case.resolved": wait + 1}
    return [
        Event(
            type=kind,
            occurred_at=EPOCH + at * 1000,
            event_id=kind,
            case_id="case",
            origin="contacts-0@0",
            contact_id="case",
            channel="phone",
        )
        for kind, at in times.items()
    ]


def mark(at: int) -> Mark:
    return Mark(sources={"contacts-0": EPOCH + at * 1000}, topics={"contacts": 1}, clock=EPOCH)


def definitions(version: int, text: str) -> Definitions:
    return Definitions(version, definitions_body(parse_settings(text)))


@pytest.mark.parametrize("wait", [SHORT, LONG])
@pytest.mark.parametrize("early", [SHORT - 1, REPLY_DUE + 1])
def test_the_reckoning_counts_a_case_under_the_definitions_that_cases_does(wait: int, early: int) -> None:
    counted = set()
    for places in combinations(range(6), 3):
        others: Iterator[Mark | Definitions] = iter([mark(early), definitions(2, NEW), mark(LONG + 2)])
        own: Iterator[Event] = iter(events(wait))
        log: list[Event | Mark | Definitions] = [definitions(1, OLD), *(next(others) if place in places else next(own) for place in range(6))]
        state = CasesProcessor(1, CASES).new_state(0)
        for offset, record in enumerate(log):
            if isinstance(record, Event):
                state.apply(record.case_id, record, offset)
            elif isinstance(record, Mark):
                state.mark(record, offset)
            else:
                state.define(record, offset)
        last = unpack(state.rows["case"].fence)[1]
        version = max(record.version for record in log[: last + 1] if isinstance(record, Definitions))
        assert [under for _, _, under in answered_under(log)] == [version], log
        counted.add(version)
    assert 2 in counted

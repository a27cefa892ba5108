"""Cases: one row per case. Adds levels and the state of each open case to what every keyed processor publishes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agents.keyed import KeyedProcessor, KeyedSettings, base_of, fence_before, instant
from agents.keyed_codec import KeyedCodec
from agents.ports import Output
from models.cases.logic import CasesLogic
from models.durability.fence import unpack
from models.durability.keyed import KeyedState, Message


class CasesProcessor(KeyedProcessor):
    """Reads ``events``, writes the customer log, case-events, sla-events and cases."""

    def __init__(self, partitions: int, codec: KeyedCodec) -> None:
        super().__init__(KeyedSettings("cases", "events", "cases-changelog", partitions, marks_to="customer-log"), CasesLogic, codec)

    def restore_row(self, state: KeyedState[Any], key: str, row: Any) -> None:
        """Levels are made of the rows."""
        _logic(state).levels.change(key, None, row.level)

    def publish_rows(self, state: KeyedState[Any]) -> Iterable[Output]:
        """The state of each changed case."""
        logic = _logic(state)
        unsent, logic.unsent_cases = logic.unsent_cases, {}
        for key in unsent:
            fence = state.graves.get(key, fence_before(state))
            yield self._codec.output(Message("cases", key, logic.case_record(key, state.rows.look(key), fence)))
        forgotten, state.forgotten = state.forgotten, []
        for key in forgotten:
            if key not in state.rows:
                yield self._codec.output(Message("cases", key, None))

    def publish_levels(self, state: KeyedState[Any]) -> Iterable[Output]:
        """One complete record per partition."""
        levels, clock = _logic(state).levels, instant(state.progress.clock)
        body = {
            "fence": unpack(fence_before(state)),
            "as_of": instant(state.progress.watermark),
            "base_through": instant(state.panes.slow_limit),
            "base": base_of(state.panes),
            "cells": list(levels.cells()),
            "next": levels.next_to_breach(),
        }
        if clock is not None:
            body["clock"] = clock
        yield self._codec.level(self.name, state.partition, body)


def _logic(state: KeyedState[Any]) -> CasesLogic:
    logic = state.logic
    assert isinstance(logic, CasesLogic)
    return logic

"""Which combinations of dimension values are remembered as noted: a shortcut that must not change what is known."""

from __future__ import annotations

import pytest

from tests.support.case_events import Desk, opened


def test_values_are_noted_however_few_combinations_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.cases.logic.NOTED_KEPT", 2)
    desk = Desk({})
    for number in range(5):
        desk.tell(opened(number, case_id=f"c{number}", queue=f"q{number}"))
    assert desk.state.dimensions.seen["queue"] == [f"q{number}" for number in range(5)]

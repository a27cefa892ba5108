"""JSON of the panes topic and of KPI rows, as the contracts write it."""

from __future__ import annotations

import msgspec
import pytest

from models.rollup.records import KpiRecord, KpiRow, LevelRecord, PaneKey, PartitionKey, StatusRecord
from stream_app.wire import outputs
from stream_app.wire.outputs import OutputsCodec

CELL = ("billing", "phone", "normal", "t1")


def test_pane_is_written_as_the_contract_says() -> None:
    assert outputs.pane_key("cases", 2, "slow", 3_600_000, CELL) == b'["p","cases",2,"slow",3600000,["billing","phone","normal","t1"]]'
    assert outputs.pane_value((0, 7), {"opened": 3}) == b'{"fence":[0,7],"facts":{"opened":3}}'
    assert outputs.deleted_value((0, 8)) == b'{"fence":[0,8],"deleted":true}'


def test_keys_come_back_as_they_went() -> None:
    codec = OutputsCodec()
    key = outputs.pane_key("cases", 2, "slow", 3_600_000, CELL)
    assert codec.panes_key(key) == codec.panes_key(key) == PaneKey("cases", 2, "slow", 3_600_000, CELL)
    assert codec.panes_key(outputs.level_key("cases", 1)) == PartitionKey("level", "cases", 1)
    assert codec.panes_key(outputs.status_key("customers", 0)) == PartitionKey("status", "customers", 0)


def test_pane_keeps_its_facts_encoded() -> None:
    codec = OutputsCodec()
    pane = codec.pane(outputs.pane_value((1, 7), {"first_reply:812": 1}))
    assert (pane.fence, pane.deleted, codec.facts(bytes(pane.facts))) == ((1, 7), False, {"first_reply:812": 1})
    assert codec.pane(outputs.deleted_value((1, 8))).deleted


def test_level_and_status_come_back_as_they_went() -> None:
    codec = OutputsCodec()
    level = LevelRecord((0, 1), 5, 4, [(CELL, {"open_cases:open": 2})], [(CELL, {"awaiting": 1})], [{"case_id": "a"}])
    status = StatusRecord((0, 1), None, 9, 4, {"contacts-0": None}, {"applied": 3}, 2, simulated=True)
    assert codec.level(outputs.level_value(level)) == level
    assert codec.status(outputs.status_value(status)) == status


def test_unknown_fields_of_a_newer_writer_are_no_error() -> None:
    assert OutputsCodec().status(b'{"fence":[0,1],"clock":5,"news":true}').clock == 5


def test_cache_of_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "_KNOWN_KEYS", 2)
    codec = OutputsCodec()
    for partition in range(5):
        codec.panes_key(outputs.level_key("cases", partition))
    assert len(codec._panes_keys) <= 2


def test_row_has_its_value_always_and_absent_fields_never() -> None:
    record = KpiRecord("fcr", None, "ratio", "day", {}, 5, "final", window_start=1, window_end=2, revision=1)
    key, value = OutputsCodec().encode(KpiRow("kpi-windows", "fcr", "day", {}, 1, record))
    assert key == b'["fcr","day",{},1]'
    assert value is not None
    assert msgspec.json.decode(value) == {
        "kpi": "fcr",
        "value": None,
        "unit": "ratio",
        "window": "day",
        "group": {},
        "watermark": 5,
        "state": "final",
        "window_start": 1,
        "window_end": 2,
        "revision": 1,
    }


def test_old_value_of_null_is_written() -> None:
    record = KpiRecord("fcr", 0.5, "ratio", "day", {}, 5, "final", revision=2, old_value=None)
    _, value = OutputsCodec().encode(KpiRow("kpi-windows", "fcr", "day", {}, 1, record))
    assert value is not None
    assert b'"old_value":null' in value


def test_rows_come_back_as_they_went() -> None:
    codec = OutputsCodec()
    record = KpiRecord("opened", 3, "cases", "30m", {"queue": "billing"}, 5, "provisional")
    live = KpiRow("kpis", "opened", "30m", {"queue": "billing"}, None, record)
    final = KpiRow("kpi-windows", "opened", "hour", {}, 7, record)
    gone = KpiRow("kpis", "opened", "30m", {}, None, None)
    for row in (live, final, gone):
        assert codec.row(row.topic, *codec.encode(row)) == row

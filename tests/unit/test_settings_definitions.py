"""What goes into the log for all workers to agree on."""

from __future__ import annotations

import json

from stream_app.settings import Settings, parse_settings


def test_the_body_of_the_defaults_is_the_one_of_the_contract() -> None:
    body = Settings().definitions()
    assert json.loads(json.dumps(body)) == body
    assert {name: value for name, value in body.items() if name != "sla"} == {
        "horizon_s": 3_024_000,
        "zone": "UTC",
        "fast_tier": True,
        "dimensions": {"queue": None, "channel": None, "priority": None, "team": None, "route": None},
        "dimension_cap": 200,
        "queued_channels": ["phone", "chat"],
        "service_level_target_s": 20,
        "short_abandon_s": 5,
        "repeat_window_d": 7,
        "reopen_window_d": 7,
        "row_cap_bytes": 262_144,
    }


def test_targets_are_seconds_by_metric_and_priority() -> None:
    settings = parse_settings('[sla]\nwarn_percent = 50\n[sla.targets.first_reply]\nurgent = "15m"\ndefault = "4h"')
    sla = settings.definitions()["sla"]
    assert isinstance(sla, dict)
    assert sla["targets"]["first_reply"] == {"urgent": 900, "default": 14_400}
    assert (sla["pause_statuses"], sla["warn_percent"]) == (["pending_customer"], 50)


def test_listed_dimension_values_stand_as_they_were_given() -> None:
    dimensions = parse_settings('[dimensions]\nqueue = ["b", "a"]\nteam = []').definitions()["dimensions"]
    assert dimensions == {"queue": ["b", "a"], "channel": None, "priority": None, "team": [], "route": None}

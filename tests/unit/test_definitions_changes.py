"""Which differences of definitions there are, in the words of the configuration, and which a running system cannot take."""

from __future__ import annotations

import pytest

from stream_app.definitions.changes import Change, changes
from stream_app.settings import parse_settings


def between(old: str, new: str) -> list[Change]:
    return changes(parse_settings(old).definitions(), parse_settings(new).definitions())


def test_the_same_settings_differ_in_nothing() -> None:
    assert between("", "") == []


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("", '[kpis]\nservice_level_target = "30s"', Change("kpis.service_level_target", "20s", "30s")),
        ("", '[kpis]\nqueued_channels = ["phone"]', Change("kpis.queued_channels", "phone, chat", "phone")),
        ("", "[kpis]\nqueued_channels = []", Change("kpis.queued_channels", "phone, chat", "none")),
        ("", '[kpis]\nrepeat_window = "14d"', Change("kpis.repeat_window", "7d", "14d")),
        ("", "[sla]\nwarn_percent = 80", Change("sla.warn_percent", "75", "80")),
        ("", '[sla]\npause_statuses = ["on_hold"]', Change("sla.pause_statuses", "pending_customer", "on_hold")),
        ("", "[engine]\nrow_cap_bytes = 5000", Change("engine.row_cap_bytes", "262144", "5000")),
        ("", '[dimensions]\nqueue = ["billing"]', Change("dimensions.queue", "no list", "billing")),
        ('[dimensions]\nqueue = ["a"]', '[dimensions]\nqueue = ["a", "b"]', Change("dimensions.queue", "a", "a, b")),
        ("", '[time]\nhorizon = "7d"', Change("time.horizon", "35d", "7d")),
        ("", "[dimensions]\ncap = 10", Change("dimensions.cap", "200", "10")),
    ],
)
def test_a_change_names_key_and_both_values_as_the_file_has_them(old: str, new: str, change: Change) -> None:
    assert between(old, new) == [change]


def test_targets_are_compared_one_by_one() -> None:
    old = '[sla]\ntargets = {first_reply = {urgent = "15m", default = "4h"}}'
    new = '[sla]\ntargets = {first_reply = {urgent = "10m", low = "8h", default = "4h"}}'
    assert between(old, new) == [
        Change("sla.targets.first_reply.low", "not there", "8h"),
        Change("sla.targets.first_reply.urgent", "15m", "10m"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("", '[kpis]\nzone = "Europe/Berlin"', "kpis.zone", "days that were published"),
        ("", "[kpis]\nlive_windows = false", "kpis.live_windows", "from the first event on"),
        ("", '[time]\nhorizon = "36d"', "time.horizon", "would count twice"),
        ("", "[dimensions]\ncap = 201", "dimensions.cap", "name the values in a list"),
        ('[dimensions]\nteam = ["red"]', "", "dimensions.team", "name all values in the list"),
    ],
)
def test_what_a_running_system_cannot_take_is_refused_with_the_reason_and_a_way_out(old: str, new: str, key: str, reason: str) -> None:
    (change,) = between(old, new)
    assert (change.key, reason in change.refused) == (key, True)


def test_a_key_of_another_version_of_the_program_is_a_change_like_any_other() -> None:
    assert changes({"zone": "UTC"}, {"sla": {"calendar": ["a"]}}) == [
        Change("sla.calendar", "not there", "a"),
        Change("kpis.zone", "UTC", "not there"),
    ]

"""Where settings come from, and which source outranks which."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stream_app.settings import Settings, SettingsError, load_settings, parse_settings


def problems_of(text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse_settings(text, "d.toml", environment)
    return [str(problem) for problem in refused.value.problems]


def test_no_file_and_no_environment_is_a_working_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}) == Settings()


def test_a_file_changes_what_it_names_and_nothing_else() -> None:
    settings = parse_settings('[kafka]\nlog_partitions = 12\n[kpis]\nservice_level_target = "30s"')
    assert (settings.kafka.log_partitions, settings.kafka.topic_prefix) == (12, "deskpulse")
    assert settings.kpis.service_level_target == timedelta(seconds=30)


def test_the_environment_outranks_the_file() -> None:
    settings = parse_settings("[kafka]\nlog_partitions = 12", environment={"DESKPULSE_KAFKA__LOG_PARTITIONS": "3"})
    assert settings.kafka.log_partitions == 3


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("DESKPULSE_KAFKA__BOOTSTRAP_SERVERS", "a:1,b:2", lambda s: s.kafka.bootstrap_servers == "a:1,b:2"),
        ("DESKPULSE_TIME__SIMULATED", "true", lambda s: s.time.simulated),
        ("DESKPULSE_TIME__ALLOWANCE", "90s", lambda s: s.time.allowance == timedelta(seconds=90)),
        ("DESKPULSE_DIMENSIONS__QUEUE", "billing, tech", lambda s: s.dimensions.queue == ("billing", "tech")),
        ("DESKPULSE_KPIS__GROUPING_SETS", '[[], ["team"]]', lambda s: s.kpis.grouping_sets == ((), ("team",))),
        ("DESKPULSE_INPUTS__CONTACTS__TOPIC", "calls", lambda s: s.topic("contacts") == "calls"),
        ("DESKPULSE_SLA__TARGETS__RESOLUTION__DEFAULT", "3d", lambda s: s.sla.targets["resolution"] == {"default": timedelta(days=3)}),
        ("DESKPULSE_BOARD__GOALS__SERVICE_LEVEL", "0.8", lambda s: s.board.goals == {"service_level": 0.8}),
        ("DESKPULSE_METRICS__TOKEN_FILE", "/run/token", lambda s: s.metrics.token_file == Path("/run/token")),
    ],
)
def test_every_kind_of_value_can_come_from_the_environment(name: str, text: str, read: object) -> None:
    assert callable(read)
    assert read(parse_settings("", environment={name: text}))


def test_a_named_file_comes_before_the_variable_and_that_before_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("deskpulse.toml", "variable.toml", "named.toml"):
        (tmp_path / name).write_text(f'[board]\nname = "{name}"')
    environment = {"DESKPULSE_CONFIG": "variable.toml"}
    assert load_settings(environment={}).board.name == "deskpulse.toml"
    assert load_settings(environment=environment).board.name == "variable.toml"
    assert load_settings(Path("named.toml"), environment).board.name == "named.toml"


def test_a_missing_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"can not be read .*config example"):
        load_settings(tmp_path / "absent.toml", {})


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "latin.toml"
    file.write_bytes('[board]\nname = "Köln"'.encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(file, {})


def test_an_input_of_ones_own_joins_the_three_usual_ones_and_is_called_as_its_table() -> None:
    settings = parse_settings('[inputs.chats]\nprogress = "declared"')
    assert list(settings.inputs) == ["contacts", "resolutions", "surveys", "chats"]
    assert settings.topic("chats") == "chats"


def test_an_empty_input_table_is_an_input_with_all_defaults() -> None:
    assert parse_settings("[inputs.chats]").topic("chats") == "chats"


def test_a_disabled_input_is_not_waited_for() -> None:
    assert list(parse_settings("[inputs.surveys]\nenabled = false").active_inputs()) == ["contacts", "resolutions"]


def test_targets_of_one_metric_replace_its_defaults_and_leave_the_other_metric_alone() -> None:
    settings = parse_settings('[sla.targets.first_reply]\nurgent = "10m"')
    assert settings.sla.targets["first_reply"] == {"urgent": timedelta(minutes=10)}
    assert settings.sla.targets["resolution"] == Settings().sla.targets["resolution"]


def test_an_empty_table_of_targets_means_no_clock_at_all() -> None:
    assert parse_settings("[sla.targets.first_reply]").sla.targets["first_reply"] == {}


def test_variables_with_one_underscore_are_refused_with_the_spelling_that_was_meant() -> None:
    (problem,) = problems_of("", {"DESKPULSE_KAFKA_TOPIC_PREFIX": "x"})
    assert problem.startswith("DESKPULSE_KAFKA_TOPIC_PREFIX: ")
    assert "DESKPULSE_KAFKA__TOPIC_PREFIX" in problem


def test_variables_of_others_are_left_alone() -> None:
    assert parse_settings("", environment={"DESKPULSE_CONFIG": "x", "DESKPULSE_SOMETHING": "y", "PATH": "z"}) == Settings()


def test_our_topics_carry_the_prefix_and_inputs_do_not() -> None:
    settings = parse_settings('[kafka]\ntopic_prefix = "eu"\ngroup_prefix = "blue"')
    assert [settings.topic(name) for name in ("events", "kpis", "contacts")] == ["eu.events", "eu.kpis", "contacts"]
    assert settings.group("cases") == "blue-cases"

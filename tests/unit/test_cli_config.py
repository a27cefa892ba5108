"""``deskpulse config``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.settings import Settings, parse_settings


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DESKPULSE_CONFIG", raising=False)


def test_check_says_that_the_defaults_are_sound() -> None:
    checked = CliRunner().invoke(main, ["config", "check"])
    assert (checked.exit_code, "✓ no file: the defaults" in checked.output) == (0, True)


def test_check_names_the_line_and_exits_with_2(tmp_path: Path) -> None:
    Path("deskpulse.toml").write_text("[kafka]\n\nlog_partition = 3")
    checked = CliRunner().invoke(main, ["config", "check"])
    assert checked.exit_code == 2
    assert "✗ deskpulse.toml:3: kafka.log_partition: unknown key. Did you mean `log_partitions`?" in checked.stderr


def test_check_can_look_at_another_file() -> None:
    Path("deskpulse.toml").write_text("[kafka]\nlog_partition = 3")
    Path("good.toml").write_text("[kafka]\nlog_partitions = 3")
    assert CliRunner().invoke(main, ["config", "check", "good.toml"]).exit_code == 0


def test_show_prints_what_the_environment_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_KAFKA__LOG_PARTITIONS", "9")
    shown = parse_settings(CliRunner().invoke(main, ["config", "show"]).output)
    assert shown.kafka.log_partitions == 9


def test_example_is_a_configuration_to_begin_with() -> None:
    assert parse_settings(CliRunner().invoke(main, ["config", "example"]).output) == Settings()


@pytest.mark.parametrize("command", [["worker"], ["snapshot"], ["doctor"], ["demo"], ["config", "show"]])
def test_every_command_refuses_a_broken_configuration_with_2_before_it_does_anything(command: list[str]) -> None:
    Path("deskpulse.toml").write_text("[kafka]\nlog_partition = 3")
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "deskpulse.toml:2" in refused.stderr

"""The top-level command: what it teaches, and that one broken subcommand breaks no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.cli.assembly import GROUPS, Listed, load_command

LISTED = [listed for group in GROUPS.values() for listed in group]


def test_help_names_every_command_by_group_with_its_summary() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for title, group in GROUPS.items():
        assert f"{title}:" in text
        for listed in group:
            assert f"  {listed.name}" in text


def test_help_shows_first_steps() -> None:
    assert "deskpulse demo" in CliRunner().invoke(main, ["--help"]).output


def test_help_imports_no_subcommand_and_neither_faust_nor_kafka() -> None:
    watched = ("faust", "aiokafka", "aiohttp", "rich", "orjson", *(listed.module for listed in LISTED))
    program = (
        "import sys; from stream_app.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print([name for name in {watched!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_missing_module_breaks_its_own_command_only() -> None:
    with pytest.raises(click.ClickException, match=r"`gone` is not available in this installation: No module named"):
        load_command(Listed("gone", "stream_app.cli.gone", "gone", ""))
    assert CliRunner().invoke(main, ["config", "--help"]).exit_code == 0


def test_an_unknown_command_exits_with_2() -> None:
    assert CliRunner().invoke(main, ["wroker"]).exit_code == 2


@pytest.mark.parametrize("listed", LISTED, ids=lambda listed: listed.name)
def test_every_command_can_be_loaded_and_explains_itself(listed: Listed) -> None:
    command = load_command(listed)
    assert command.name == listed.name
    assert command.help


def test_config_is_handed_down_to_subcommands_and_their_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_CONFIG", "before.toml")
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('[board]\nname = "Mine"')
    shown = CliRunner().invoke(main, ["--config", "mine.toml", "config", "show"])
    assert os.environ["DESKPULSE_CONFIG"] == str(tmp_path / "mine.toml")
    assert 'name = "Mine"' in shown.output

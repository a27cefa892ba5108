"""``deskpulse kpis`` and the page it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.catalogue.registry import CATALOGUE
from stream_app.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "kpis.md"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["kpis", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_table_names_every_kpi() -> None:
    output = run()
    assert all(kpi.id in output for kpi in CATALOGUE)


def test_json_has_every_part_of_every_entry() -> None:
    entries = json.loads(run("--json"))
    assert [entry["id"] for entry in entries] == [kpi.id for kpi in CATALOGUE]
    assert all(entry["meaning"] and entry["formula"] and entry["windows"] for entry in entries)


def test_one_kpi_is_shown_in_full() -> None:
    output = run("service_level_positive")
    assert "(queue_answered_within + queue_abandoned_within)" in output
    assert 'variant="positive"' in output


def test_part_of_an_id_shows_all_that_have_it() -> None:
    output = run("backlog_age")
    assert output.count("deskpulse_backlog_age_cases") == 5


def test_unknown_kpi_says_where_to_look() -> None:
    result = CliRunner().invoke(main, ["kpis", "happiness"])
    assert result.exit_code == 1
    assert "`deskpulse kpis` lists them" in result.output


def test_reference_page_is_what_the_command_writes() -> None:
    if not PAGE.exists():
        pytest.skip("an installed package has no documentation beside it")
    assert PAGE.read_text(encoding="utf-8") == run("--markdown")

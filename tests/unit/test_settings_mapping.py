"""``inputs.NAME.mapping``: looked for beside the configuration, and read through before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_app.mapping.source import source_mappings
from stream_app.settings import SettingsError, load_settings, parse_settings
from stream_app.settings.reference import effective_toml
from tests.support.input_records import NOW

MAPPING = '[[rules]]\nemit = { type = "case.closed", case_id = "id", occurred_at = "at" }\n'
NAMED = '[inputs.contacts]\nmapping = "tickets.toml"\n'


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A configuration in a directory that is not the working one, with its mapping beside it."""
    (tmp_path / "tickets.toml").write_text(MAPPING)
    file = tmp_path / "deskpulse.toml"
    file.write_text(NAMED)
    return file


def problems_of(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(file, {})
    return [str(problem) for problem in refused.value.problems]


def test_a_mapping_is_looked_for_beside_the_configuration_that_names_it(configuration: Path) -> None:
    settings = load_settings(configuration, {})
    assert settings.inputs["contacts"].mapping == str(configuration.parent / "tickets.toml")
    assert parse_settings(effective_toml(settings)) == settings


def test_a_variable_names_it_from_the_working_directory(configuration: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(configuration.parent)
    configuration.write_text("")
    settings = load_settings(configuration, {"DESKPULSE_INPUTS__SURVEYS__MAPPING": "tickets.toml"})
    assert settings.inputs["surveys"].mapping == "tickets.toml"


def test_each_input_gets_its_own_mapping_and_the_others_none(configuration: Path) -> None:
    mappings = source_mappings(load_settings(configuration, {}))
    assert mappings.keys() == {"contacts"}
    (accepted,) = mappings["contacts"](b'{"id": 7, "at": 5}', NOW, "contacts-0@1")
    assert [(event.type, event.case_id) for event in accepted.events] == [("case.closed", "7")]


def test_a_mistake_in_a_mapping_is_found_with_its_own_file_and_line(configuration: Path) -> None:
    mapping = configuration.parent / "tickets.toml"
    mapping.write_text(MAPPING + '[[rules]]\nwhen = "kind ="\nignore = true')
    (problem,) = problems_of(configuration)
    assert problem.startswith(f"{mapping}:4: rules.when: is no JMESPath expression")


def test_a_mapping_that_is_not_there_is_found_where_it_is_named(configuration: Path) -> None:
    missing = configuration.parent / "tickets.toml"
    missing.unlink()
    assert problems_of(configuration) == [f'{configuration}:2: inputs.contacts.mapping: is "{missing}", and there is no such file']


def test_the_mapping_of_an_input_that_is_not_read_does_not_matter(configuration: Path) -> None:
    (configuration.parent / "tickets.toml").unlink()
    configuration.write_text(NAMED + "enabled = false")
    assert source_mappings(load_settings(configuration, {})) == {}


def test_a_mapping_of_another_kind_is_refused_as_any_value_is(configuration: Path) -> None:
    configuration.write_text("[inputs.contacts]\nmapping = 3")
    (problem,) = problems_of(configuration)
    assert "inputs.contacts.mapping: must be text in quotation marks, not 3" in problem


def test_no_mapping_is_part_of_what_all_workers_must_agree_on(configuration: Path) -> None:
    assert load_settings(configuration, {}).definitions() == parse_settings("").definitions()

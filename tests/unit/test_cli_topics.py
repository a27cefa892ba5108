"""``deskpulse topics schema``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from jsonschema_rs import validator_for

from models.events.contract import INPUT_TYPES
from stream_app.cli import main
from stream_app.contracts.catalogue import CONTRACTS


def schema(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["topics", "schema", *arguments])


@pytest.mark.parametrize("name", [*(contract.name for contract in CONTRACTS), "contacts", *INPUT_TYPES])
def test_the_schema_of_every_topic_and_event_type_stands_alone_and_takes_its_examples(name: str) -> None:
    document = json.loads(schema(name).output)
    validator = validator_for(document)
    for example in document.get("examples", []):
        validator.validate(example)


def test_without_a_name_all_are_listed() -> None:
    lines = schema().output.splitlines()
    assert "sla-events    1.0  output    Verdicts about SLA clocks" in lines
    assert "  contact.opened" in lines


@pytest.mark.parametrize(("name", "hint"), [("sla-event", "did you mean 'sla-events'?"), ("zzz", "`deskpulse topics schema` lists")])
def test_an_unknown_name_is_refused_with_what_to_do(name: str, hint: str) -> None:
    result = schema(name)
    assert result.exit_code == 1
    assert f"there is no schema {name!r}; {hint}" in result.output

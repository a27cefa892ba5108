"""A published schema changes with its version only, and the recorded files are in step with the types."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream_app.contracts.asyncapi import document
from stream_app.contracts.catalogue import BY_NAME, CONTRACTS, Contract
from stream_app.contracts.recorded import problems, record, text_of
from stream_app.contracts.schemas import Schema

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"
PAGES = [*sorted((DOCS / "how-to").glob("read-*.md")), REFERENCE / "topics.md"]


def contract_of(version: str, properties: dict[str, Any], required: tuple[str, ...] = (), **texts: str) -> Contract:
    def build() -> Schema:
        return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": True, "$defs": {}, **texts}

    return Contract("sla", version, "output", "Verdicts", build)


KIND = {"kind": {"enum": ["met"]}}
MORE = {**KIND, "note": {"type": "string"}}
PUBLISHED = contract_of("1.0", KIND, ("kind",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which version 1.0 is published."""
    assert record(tmp_path, [PUBLISHED]) == []
    return tmp_path


def test_the_published_schemas_are_in_step_with_the_types() -> None:
    assert problems(REFERENCE / "schemas") == []


def test_the_published_asyncapi_document_is_in_step_with_the_types() -> None:
    assert (REFERENCE / "asyncapi.json").read_text() == text_of(document()), "run: python -m stream_app.contracts"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_link_to_the_current_version_of_a_schema(page: Path) -> None:
    linked = set(re.findall(r"schemas/([\w.-]+\.json)", page.read_text()))
    assert linked <= {contract.file for contract in CONTRACTS}


def test_a_record_that_loses_a_field_is_a_problem_of_the_real_schemas(tmp_path: Path) -> None:
    real = BY_NAME["sla-events"]
    record(tmp_path, [real])

    def build() -> Schema:
        schema: Schema = msgspec.json.decode(msgspec.json.encode(real.build()))
        del schema["$defs"]["SlaEvent"]["properties"]["due_at"]
        return schema

    (problem,) = problems(tmp_path, [replace(real, build=build)])
    assert ".due_at: the field is gone" in problem
    assert "Make it 2.0 in stream_app/contracts/catalogue.py" in problem


def test_what_is_in_step_is_no_problem(folder: Path) -> None:
    assert problems(folder, [PUBLISHED]) == []


def test_a_schema_that_breaks_readers_needs_the_next_major_version(folder: Path) -> None:
    (problem,) = problems(folder, [contract_of("1.0", {"kind": {"enum": ["met", "missed"]}}, ("kind",))])
    assert problem.startswith("sla 1.0 is published and its schema has changed, which breaks who goes by it: .kind: the value 'missed' may come now.")
    assert "Make it 2.0" in problem


def test_a_schema_that_breaks_nobody_needs_the_next_minor_version(folder: Path) -> None:
    (problem,) = problems(folder, [contract_of("1.0", MORE, ("kind",))])
    assert "breaks nobody" in problem
    assert "Make it 1.1" in problem


def test_a_published_version_is_never_overwritten(folder: Path) -> None:
    before = (folder / "sla-1.0.json").read_text()
    assert record(folder, [contract_of("1.0", MORE, ("kind",))]) == problems(folder, [contract_of("1.0", MORE, ("kind",))])
    assert (folder / "sla-1.0.json").read_text() == before


def test_a_minor_version_for_a_breaking_change_is_refused(folder: Path) -> None:
    (problem,) = record(folder, [contract_of("1.1", KIND)])
    assert problem.startswith("sla 1.1 breaks who goes by 1.0: .kind: may be missing now.")
    assert not (folder / "sla-1.1.json").exists()


@pytest.mark.parametrize(("version", "properties"), [("1.1", MORE), ("2.0", {})])
def test_a_new_version_stands_beside_the_former(folder: Path, version: str, properties: dict[str, Any]) -> None:
    changed = contract_of(version, properties, tuple(properties)[:1])
    assert problems(folder, [changed]) == [f"sla-{version}.json is not in step with the types. Run `python -m stream_app.contracts`."]
    assert record(folder, [changed]) == []
    assert problems(folder, [changed]) == []
    assert sorted(file.name for file in folder.iterdir()) == ["sla-1.0.json", f"sla-{version}.json"]


def test_a_version_never_goes_back(folder: Path) -> None:
    record(folder, [contract_of("1.1", MORE, ("kind",))])
    (problem,) = problems(folder, [PUBLISHED])
    assert "1.1 is published: versions only rise" in problem


def test_texts_may_change_without_a_version_but_not_without_the_file(folder: Path) -> None:
    reworded = contract_of("1.0", KIND, ("kind",), description="Another text.")
    assert problems(folder, [reworded]) == ["sla-1.0.json is not in step with the types. Run `python -m stream_app.contracts`."]
    assert record(folder, [reworded]) == problems(folder, [reworded]) == []

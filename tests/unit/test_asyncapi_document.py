"""The AsyncAPI document is one, and every reference in it leads somewhere."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stream_app.contracts.asyncapi import document
from stream_app.contracts.catalogue import CONTRACTS
from stream_app.contracts.schemas import parts
from stream_app.topics import topic_specs

REFERENCE = Path(__file__).parents[2] / "docs/reference"

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # two of its fields shadow an attribute of pydantic's
    from asyncapi3.models.asyncapi import AsyncAPI3


@cache
def file(name: str) -> Any:
    return json.loads((REFERENCE / name).read_text())


def target(reference: str) -> Any:
    """What a reference leads to; raises ``KeyError`` or ``FileNotFoundError`` if nothing is there."""
    name, _, pointer = reference.partition("#")
    found = file(name or "asyncapi.json")
    for step in pointer.split("/")[1:]:
        found = found[step]
    return found


def test_the_document_is_an_asyncapi_3_document() -> None:
    AsyncAPI3.model_validate(document())


@pytest.mark.parametrize(
    ("part", "wrong"), [("operations", {"send-kpis": {"action": "publish"}}), ("info", {"title": "t"}), ("channels", {"kpis": {"adress": "a"}})]
)
def test_what_is_no_asyncapi_document_is_noticed(part: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=part):
        AsyncAPI3.model_validate({**document(), part: wrong})


def test_every_reference_leads_somewhere() -> None:
    references = {part["$ref"] for part in parts(document()) if "$ref" in part}
    assert all(target(reference) for reference in references)
    assert len([reference for reference in references if reference.startswith("./schemas")]) > 40


def test_every_topic_is_a_channel_and_every_schema_is_used() -> None:
    channels = document()["channels"]
    addresses = {channel["address"].replace("{prefix}", "deskpulse") for channel in channels.values()}
    assert addresses == {spec.name for spec in topic_specs()}
    text = json.dumps(document())
    assert [contract.name for contract in CONTRACTS if f"./schemas/{contract.file}#" not in text] == []


def test_topics_that_others_should_not_read_say_so() -> None:
    internal = {name for name, channel in document()["channels"].items() if channel.get("x-internal")}
    assert internal == {"events", "customer-log", "panes", "cases-changelog", "customers-changelog"}

"""Which changes of a schema break whom: senders of an input, readers of an output."""

from __future__ import annotations

from typing import Any

import pytest

from stream_app.contracts.catalogue import CONTRACTS, Contract, Direction
from stream_app.contracts.compatibility import breaking_changes, structure

NUMBER = {"type": "number"}
TEXT = {"type": "string"}


def record(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": True}


def listed(*values: object) -> dict[str, Any]:
    return {"enum": list(values)}


SCORE, REASON = record(score=NUMBER), record(reason=TEXT)
CHANGES = {
    # what changes: (old, new, breaks senders of an input, breaks readers of an output)
    "nothing": (SCORE, SCORE, False, False),
    "new optional field": (SCORE, record(score=NUMBER, note=TEXT), False, False),
    "new required field": (SCORE, record(("note",), score=NUMBER, note=TEXT), True, False),
    "field becomes required": (SCORE, record(("score",), score=NUMBER), True, False),
    "required field becomes optional": (record(("score",), score=NUMBER), SCORE, False, True),
    "removed field": (record(score=NUMBER, note=TEXT), SCORE, True, True),
    "renamed field": (SCORE, record(points=NUMBER), True, True),
    "narrowed type": (SCORE, record(score={"type": "integer"}), True, False),
    "widened type": (record(score={"type": "integer"}), SCORE, False, True),
    "other type": (SCORE, record(score=TEXT), True, True),
    "null is allowed": (REASON, record(reason={"type": ["string", "null"]}), False, True),
    "null is not allowed": (record(reason={"anyOf": [TEXT, {"type": "null"}]}), REASON, True, False),
    "enum value added": (record(kind=listed("a")), record(kind=listed("a", "b")), False, True),
    "enum value removed": (record(kind=listed("a", "b")), record(kind=listed("a")), True, False),
    "enum becomes text": (record(kind=listed("a")), record(kind=TEXT), False, True),
    "text becomes enum": (record(kind=TEXT), record(kind=listed("a")), True, False),
    "constant is another": (record(kind={"const": 1}), record(kind={"const": 2}), True, True),
    "shorter text": (record(name={**TEXT, "maxLength": 9}), record(name={**TEXT, "maxLength": 8}), True, False),
    "limit where none was": (REASON, record(reason={**TEXT, "minLength": 1}), True, False),
    "greater minimum": (record(at={**NUMBER, "minimum": 0}), record(at={**NUMBER, "minimum": 1}), True, False),
    "another unit": (record(at={**NUMBER, "x-unit": "seconds"}), record(at={**NUMBER, "x-unit": "ms"}), True, True),
    "another format": (record(at=TEXT), record(at={**TEXT, "format": "date-time"}), True, False),
    "no more unknown fields": (SCORE, {**SCORE, "additionalProperties": False}, True, False),
    "values of a mapping": (
        record(by={"type": "object", "additionalProperties": NUMBER}), record(by={"type": "object", "additionalProperties": TEXT}), True, True,
    ),
    "another number of elements": (
        record(fence={"type": "array", "prefixItems": [NUMBER], "minItems": 1, "maxItems": 1, "items": False}),
        record(fence={"type": "array", "prefixItems": [NUMBER, TEXT], "minItems": 2, "maxItems": 2, "items": False}), True, True,
    ),
    "elements of another type": (
        record(flags={"type": "array", "items": listed("a")}), record(flags={"type": "array", "items": listed("a", "b")}), False, True,
    ),
    "a condition more": (SCORE, {**SCORE, "allOf": [{"required": ["score"]}]}, True, False),
    "texts and examples": (SCORE, {**SCORE, "title": "t", "examples": [{}], "x-known-values": ["a"]}, False, False),
    "one kind of record more": (
        {"anyOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": record(("a",), a=TEXT)}},
        {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}], "$defs": {"A": record(("a",), a=TEXT), "B": record(b=TEXT)}}, False, True,
    ),
    "one kind of record less": (
        {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}], "$defs": {"A": record(a=TEXT), "B": record(b=TEXT)}},
        {"anyOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": record(a=TEXT)}}, True, True,
    ),
    "another key": (
        {**SCORE, "$defs": {"Key": {"type": "array", "prefixItems": [TEXT]}}},
        {**SCORE, "$defs": {"Key": {"type": "array", "prefixItems": [NUMBER]}}}, True, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_breaks_senders_or_readers_or_nobody(change: str) -> None:
    old, new, breaks_senders, breaks_readers = CHANGES[change]
    assert bool(breaking_changes(old, new, "input")) == breaks_senders
    assert bool(breaking_changes(old, new, "output")) == breaks_readers


def test_an_internal_topic_is_judged_like_an_input_because_the_next_release_reads_it() -> None:
    old, new, *_ = CHANGES["new required field"]
    assert breaking_changes(old, new, "internal") == breaking_changes(old, new, "input")


@pytest.mark.parametrize(
    ("change", "direction", "words"),
    [
        ("removed field", "output", [".note: the field is gone"]),
        ("new required field", "input", [".note: is required now"]),
        ("required field becomes optional", "output", [".score: may be missing now"]),
        ("enum value added", "output", [".kind: the value 'b' may come now"]),
        ("enum value removed", "input", [".kind: the value 'b' is not allowed any more"]),
        ("narrowed type", "input", [".score: number is not allowed any more"]),
        ("null is allowed", "output", [".reason: null may come now"]),
        ("one kind of record less", "output", ["B is gone"]),
    ],
)
def test_a_breaking_change_is_named_with_its_field(change: str, direction: Direction, words: list[str]) -> None:
    assert breaking_changes(*CHANGES[change][:2], direction) == words


def test_texts_are_no_part_of_the_structure_but_a_field_called_title_is() -> None:
    assert structure({**record(title=TEXT), "title": "one"}) == structure({**record(title={**TEXT, "description": "d"}), "title": "two"})
    assert structure(record(title=TEXT)) != structure(record())


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_a_published_schema_is_compatible_with_itself_both_ways(contract: Contract) -> None:
    schema = contract.schema()
    assert breaking_changes(schema, schema, "input") == breaking_changes(schema, schema, "output") == []

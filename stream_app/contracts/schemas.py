"""JSON Schema of struct types, in the form in which it is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from inspect import cleandoc
from typing import Any

import msgspec

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/"
NULL: Schema = {"type": "null"}


def record_schema(*values: type[msgspec.Struct], keys: Sequence[object] = ()) -> Schema:
    """A record that is one of some structs; the definition ``Key`` is its key where that is JSON."""
    roots, defs = definitions([*values, *keys])
    if keys:
        defs = {**defs, "Key": _one_of(roots[len(values) :])}
    return {**_one_of(roots[: len(values)]), "$defs": defs}


def _one_of(alternatives: list[Schema]) -> Schema:
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}


def definitions(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """A schema for each type, and the definitions they refer to.

    Every struct is open: readers ignore fields they do not know. A field with a default is left out when it has that value, never null.
    """
    roots, components = msgspec.json.schema_components(types, schema_hook=_anything, ref_template=REFERENCE + "{name}")
    return [plain(root) for root in roots], {name: _opened(component) for name, component in components.items()}


def _anything(_: type) -> Schema:
    return {"description": "Any JSON value."}


def _opened(component: Schema) -> Schema:
    properties = {name: plain(_present(of)) for name, of in component["properties"].items()}
    text = cleandoc(component.get("description", "")).replace("``", "`")
    return component | {"description": text, "properties": properties, "additionalProperties": True}


def _present(schema: Schema) -> Schema:
    """A field as it is where it is there at all."""
    if schema.get("default", "") is None:
        schema = schema | {"anyOf": [part for part in schema.get("anyOf", ()) if part != NULL]}
    return {name: part for name, part in schema.items() if name != "default"}


def plain(schema: Any) -> Any:
    """The same schema, with alternatives of simple types as one list of types."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {name: plain(part) for name, part in schema.items() if name != "anyOf"}
    alternatives = [plain(part) for part in schema.get("anyOf", ())]
    if len(alternatives) == 1:
        return {**rest, **alternatives[0]}
    if alternatives[1:] == [NULL] and isinstance(alternatives[0].get("type"), str):
        return {**rest, **alternatives[0], "type": [alternatives[0]["type"], "null"]}  # its limits are about its own type only
    if alternatives and all(part.keys() == {"type"} for part in alternatives):
        return {**rest, "type": _types(part["type"] for part in alternatives)}
    return rest | ({"anyOf": alternatives} if alternatives else {})


def _types(names: Iterable[str]) -> list[str] | str:
    chosen = list(names)
    if "number" in chosen:
        chosen = [name for name in chosen if name != "integer"]
    return chosen if len(chosen) > 1 else chosen[0]


def reference(name: str) -> Schema:
    """A reference to a definition of the same document."""
    return {"$ref": REFERENCE + name}


def parts(schema: object) -> Iterator[Schema]:
    """Every object inside a schema, itself first."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts(part)

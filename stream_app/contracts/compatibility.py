"""What a change of a schema breaks, and for whom.

An input is written by others: whatever the old schema allowed has to stay allowed. An output is read by others: whatever the new schema
allows, the old one must have allowed. So the same change is harmless on one side and breaks the other::

                                     input      output
    a field becomes required         breaks     fine
    a required field may be missing  fine       breaks
    a new value of an enum           fine       breaks
    a value of an enum is gone       breaks     fine
    a field is gone                  breaks     breaks      (senders would lose data in silence, readers wait for it)
    a new optional field             fine       fine        (everyone ignores what they do not know)

An internal topic is an input: the next release reads what this one wrote. Keywords that are not understood here count as broken where they
differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from stream_app.contracts.catalogue import Direction
from stream_app.contracts.fields import UNIT
from stream_app.contracts.schemas import REFERENCE, Schema

TEXTS = frozenset({"$schema", "$id", "title", "description", "examples", "x-internal", "x-known-values"})
"""Keywords that say nothing about which records are valid."""

_LOWER = ("minimum", "minLength", "minItems")
_UPPER = ("maximum", "maxLength", "maxItems")
_COMPARED = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "type", "enum", "const", "properties", "required", "additionalProperties"}
_UNDERSTOOD = TEXTS | _COMPARED | {"items", "prefixItems", *_LOWER, *_UPPER, UNIT}


def structure(schema: Any) -> Any:
    """The schema without its texts: two with the same structure allow the same records."""
    if isinstance(schema, list):
        return [structure(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    named = {name: {key: structure(part) for key, part in schema[name].items()} for name in ("properties", "$defs") if name in schema}
    return {name: structure(part) for name, part in schema.items() if name not in TEXTS} | named


def breaking_changes(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """What breaks someone who goes by the old schema; each entry names the field."""
    definitions = old.get("$defs", {})
    gone = [f"{name} is gone" for name in definitions if name not in new.get("$defs", {})]
    if gone:
        return gone
    former, latter = _Schema(old, old), _Schema(new, new)
    pairs = [(former, latter)]
    if "Key" in definitions:
        pairs.append((former.of(definitions["Key"]), latter.of(new["$defs"]["Key"])))
    if direction == "output":
        return [fault for before, after in pairs for fault in _Comparison(outgoing=True).escapes(after, before, "")]
    return [fault for before, after in pairs for fault in _Comparison(outgoing=False).escapes(before, after, "")]


@dataclass(frozen=True)
class _Schema:
    """A part of a document, in which references lead to its definitions."""

    part: Schema
    document: Schema

    def of(self, part: Schema) -> _Schema:
        return replace(self, part=part)

    def alternatives(self) -> list[_Schema]:
        """What it is one of, each of one type at most."""
        for keyword in ("$ref", "anyOf", "oneOf"):
            if keyword in self.part:
                beside = {name: part for name, part in self.part.items() if name != keyword}
                chosen = [self._definition(self.part["$ref"])] if keyword == "$ref" else self.part[keyword]
                return [found for alternative in chosen for found in self.of({**alternative, **beside}).alternatives()]
        if isinstance(self.part.get("type"), list):
            return [self.of({**self.part, "type": name}) for name in self.part["type"]]
        return [self]

    def _definition(self, reference: str) -> Schema:
        found: Schema = self.document["$defs"][reference.removeprefix(REFERENCE)]
        return found


@dataclass(frozen=True)
class _Comparison:
    """Finds what ``narrow`` allows and ``wide`` does not: for outgoing records ``narrow`` is the new schema, for incoming ones the old."""

    outgoing: bool

    @property
    def _verdict(self) -> str:
        return "may come now" if self.outgoing else "is not allowed any more"

    def escapes(self, narrow: _Schema, wide: _Schema, path: str) -> list[str]:
        """Of several alternatives, the nearest one is what is compared with."""
        found: list[str] = []
        for one in narrow.alternatives():
            compared = [list(self._differences(one, other, path)) for other in wide.alternatives()]
            nearest = min(compared, key=len)
            found += nearest
        return found

    def _differences(self, narrow: _Schema, wide: _Schema, path: str) -> Iterator[str]:
        mine, theirs, where = narrow.part, wide.part, path or "the record"
        yield from (f"{where}: {what} {self._verdict}" for what in (*_values(mine, theirs), *_limits(mine, theirs)))
        if mine.get(UNIT) != theirs.get(UNIT):
            yield f"{where}: another unit"
        if any(rule not in mine.get("allOf", ()) for rule in theirs.get("allOf", ())):
            yield f"{where}: another condition"
        for keyword in sorted(theirs.keys() - _UNDERSTOOD):
            if mine.get(keyword) != theirs[keyword]:
                yield f"{where}: another `{keyword}`"
        yield from self._fields(narrow, wide, path)
        yield from self._elements(narrow, wide, path)

    def _fields(self, narrow: _Schema, wide: _Schema, path: str) -> Iterator[str]:
        mine, theirs = narrow.part.get("properties", {}), wide.part.get("properties", {})
        demanded = set(wide.part.get("required", ())) - set(narrow.part.get("required", ()))
        gone = theirs.keys() - mine.keys() if self.outgoing else mine.keys() - theirs.keys()
        yield from (f"{path}.{name}: the field is gone" for name in sorted(gone))
        yield from (f"{path}.{name}: {'may be missing' if self.outgoing else 'is required'} now" for name in sorted(demanded - gone))
        for name in mine:
            if name in theirs:
                yield from self.escapes(narrow.of(mine[name]), wide.of(theirs[name]), f"{path}.{name}")
        yield from self._contents(narrow, wide, "additionalProperties", f"{path}.*")

    def _elements(self, narrow: _Schema, wide: _Schema, path: str) -> Iterator[str]:
        mine, theirs = narrow.part.get("prefixItems", []), wide.part.get("prefixItems", [])
        for number, (element, allowed) in enumerate(zip(mine, theirs, strict=False)):
            yield from self.escapes(narrow.of(element), wide.of(allowed), f"{path}[{number}]")
        yield from self._contents(narrow, wide, "items", f"{path}[]")

    def _contents(self, narrow: _Schema, wide: _Schema, keyword: str, path: str) -> Iterator[str]:
        """Members or elements that are not named one by one: any, none, or of one schema."""
        mine, theirs = narrow.part.get(keyword, True), wide.part.get(keyword, True)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from self.escapes(narrow.of(mine), wide.of(theirs), path)
        elif theirs is not True and mine not in (theirs, False):
            yield f"{path}: more {self._verdict}"


def _values(narrow: Schema, wide: Schema) -> Iterator[str]:
    allowed, values = _enumerated(wide), _enumerated(narrow)
    if allowed is not None:
        yield from ["any other value"] if values is None else (f"the value {value!r}" for value in values if value not in allowed)
    elif "type" in wide:
        kinds = {narrow.get("type", "any other type")} if values is None else {_KINDS[type(value)] for value in values}
        yield from (kind for kind in sorted(kinds) if kind != wide["type"] and (kind, wide["type"]) != ("integer", "number"))


_KINDS: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def _enumerated(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _limits(narrow: Schema, wide: Schema) -> Iterator[str]:
    for keyword in (*_LOWER, *_UPPER):
        mine, limit = narrow.get(keyword), wide.get(keyword)
        if limit is not None and (mine is None or (mine < limit if keyword in _LOWER else mine > limit)):
            yield f"what is beyond `{keyword}` {limit}"

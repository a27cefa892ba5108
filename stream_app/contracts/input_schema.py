"""JSON Schema of the input events: the contract's structs, and the rules of acceptance that a struct can not say.

A property test holds it to the decoder: what the schema refuses is refused, what it takes is taken, but for what depends on the
record's Kafka timestamp, on characters that do not print, and on fields of other types (which count for nothing, if they are well formed).
"""

from __future__ import annotations

import msgspec

from models.events.contract import INPUT_TYPES
from models.events.fields import SCORE_RANGES
from models.events.submitted import SCHEMA_VERSION
from stream_app.contracts.input_fields import example, meaning
from stream_app.contracts.schemas import NULL, REFERENCE, Schema, plain, reference

ABOUT = (
    "One event of an input topic. Any type may come in any of them, with any key. Null and the empty text mean missing. "
    "Fields that are not listed are ignored and counted."
)
_ALIAS = ("representative_id", "agent_id")
_IDENTIFIERS = ("case_id", "contact_id")
_FLAGGED: list[Schema] = [
    {"properties": {"flags": {"type": "array", "minItems": 1}}, "required": ["flags"]},
    {"properties": {"complaint": {"const": True}}, "required": ["complaint"]},
]


def input_schema() -> Schema:
    """One definition for each type, under its name."""
    _, components = msgspec.json.schema_components(INPUT_TYPES.values(), ref_template=REFERENCE + "{name}")
    defs = {name: _event(name, components[struct.__name__]) for name, struct in INPUT_TYPES.items()}
    due = components["Due"]
    defs["Due"] = due | {"properties": {name: _property(of) for name, of in due["properties"].items()}, "additionalProperties": True}
    return {"description": ABOUT, "oneOf": [reference(name) for name in INPUT_TYPES], "$defs": defs}


def _event(type_name: str, component: Schema) -> Schema:
    properties, conditions = _properties(component), []
    required = [name for name in component["required"] if name not in {"contact_id", "representative_id", "flags"}]
    if type_name != "source.progress":
        properties.setdefault("contact_id", properties["case_id"])
    if type_name != "source.progress" and "survey_id" not in properties:
        conditions.append(_either(_IDENTIFIERS))
    if "representative_id" in properties:
        properties["agent_id"] = properties["representative_id"]
    if "representative_id" in component["required"]:
        conditions.append(_either(_ALIAS))
    if "flags" in component["required"]:
        conditions.append({"anyOf": _FLAGGED})
    if "score" in properties:
        conditions += _scores()
    described = {name: {"description": meaning(name), **_demanded(of, demanded=name in required)} for name, of in properties.items()}
    schema: Schema = {
        "title": type_name,
        "description": component["description"].replace("``", "`"),
        "type": "object",
        "properties": described,
        "required": required,
        "additionalProperties": True,
        "examples": [example(type_name, [name for name in component["properties"] if name != "schema"])],
    }
    return schema | ({"allOf": conditions} if conditions else {})


def _properties(component: Schema) -> dict[str, Schema]:
    properties = {name: _property(of) for name, of in component["properties"].items()}
    properties["schema"] = {"enum": [SCHEMA_VERSION, None]}
    for name in ("contact_id", "representative_id", "flags"):
        if name in component["required"]:
            properties[name] = plain({"anyOf": [properties[name], NULL]})
    return properties


def _property(schema: Schema) -> Schema:
    found: Schema = plain({name: part for name, part in schema.items() if name != "default"})
    return found


def _demanded(schema: Schema, *, demanded: bool) -> Schema:
    return {**schema, "minLength": 1} if demanded and schema.get("type") == "string" else schema


def _either(names: tuple[str, ...]) -> Schema:
    return {"anyOf": [{"properties": {name: {"type": "string", "minLength": 1}}, "required": [name]} for name in names]}


def _scores() -> list[Schema]:
    return [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {"properties": {"score": {"minimum": lowest, "maximum": highest}}},
        }
        for kind, (lowest, highest) in SCORE_RANGES.items()
    ]

"""A schema by the name that a person would ask for."""

from __future__ import annotations

from difflib import get_close_matches

from models.events.contract import INPUT_TYPES
from stream_app.contracts.catalogue import BY_NAME, CONTRACTS, contract_of
from stream_app.contracts.recorded import text_of
from stream_app.contracts.schemas import DIALECT, REFERENCE, parts
from stream_app.topics import DEFAULT_INPUTS


class UnknownSchemaError(ValueError):
    """No topic or event type has this name; the message lists those there are."""


def schema_text(name: str) -> str:
    """The schema of a topic's records or of an event type, as JSON for people. Raises ``UnknownSchemaError``."""
    if name in INPUT_TYPES:
        return text_of(_event_type(name))
    contract = contract_of(name)
    if contract is None:
        raise UnknownSchemaError(_message(name))
    return text_of(contract.schema())


def _event_type(name: str) -> dict[str, object]:
    whole = BY_NAME["input-events"].schema()
    found = whole["$defs"][name]
    used = {part["$ref"].removeprefix(REFERENCE) for part in parts(found) if "$ref" in part}
    defs = {"$defs": {other: whole["$defs"][other] for other in sorted(used)}} if used else {}
    return {"$schema": DIALECT, "$id": f"{whole['$id']}:{name}", **found, **defs}


def _message(name: str) -> str:
    names = [*BY_NAME, *DEFAULT_INPUTS, *INPUT_TYPES]
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else "`deskpulse topics schema` lists those there are"
    return f"there is no schema {name!r}; {hint}"


def listing() -> str:
    """Every name with its version, topics first."""
    width = max(len(contract.name) for contract in CONTRACTS)
    topics = [f"{contract.name:{width}}  {contract.version}  {contract.direction:8}  {contract.title}\n" for contract in CONTRACTS]
    return "".join(topics) + "\nInput event types:\n" + "".join(f"  {name}\n" for name in INPUT_TYPES)

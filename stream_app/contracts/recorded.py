"""The published versions of every schema, one file each, and what may follow on them.

A file is never changed once it is there, but for its texts: another structure is another version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from stream_app.contracts.catalogue import CONTRACTS, Contract
from stream_app.contracts.compatibility import breaking_changes, structure
from stream_app.contracts.schemas import Schema

COMMAND = "python -m stream_app.contracts"
Version = tuple[int, int]


def text_of(document: Schema) -> str:
    """A document as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def problems(folder: Path, contracts: Iterable[Contract] = CONTRACTS) -> list[str]:
    """What is wrong with the recorded versions in a folder, each with what to do; nothing where all is in step."""
    return [problem for contract in contracts for problem in _problems(folder, contract)]


def record(folder: Path, contracts: Iterable[Contract] = CONTRACTS) -> list[str]:
    """Write what is new or whose texts have changed. Returns what could not be written, and why."""
    refused = []
    for contract in contracts:
        file = folder / contract.file
        wrong = list(_wrong_version(folder, contract))
        refused += wrong
        if not wrong:
            file.write_text(text_of(contract.schema()), encoding="utf-8")
    return refused


def _problems(folder: Path, contract: Contract) -> Iterator[str]:
    wrong = list(_wrong_version(folder, contract))
    yield from wrong
    file = folder / contract.file
    if not wrong and (not file.exists() or file.read_text(encoding="utf-8") != text_of(contract.schema())):
        yield f"{contract.file} is not in step with the types. Run `{COMMAND}`."


def _wrong_version(folder: Path, contract: Contract) -> Iterator[str]:
    """Whether the schema has changed without a version, or with one that says too little."""
    schemas = {version: _read(folder / _file(contract.name, version)) for version in _versions(folder, contract.name)}
    current = _parsed(contract.version)
    schema = contract.schema()
    if current in schemas and structure(schemas[current]) != structure(schema):
        yield _changed(contract, schemas[current], schema)
        return
    schemas[current] = schema
    if current != max(schemas):
        newest = ".".join(map(str, max(schemas)))
        yield f"{contract.name} is {contract.version} in stream_app/contracts/catalogue.py, but {newest} is published: versions only rise."
    for before, after in pairwise(sorted(schemas)):
        broken = breaking_changes(schemas[before], schemas[after], contract.direction)
        if broken and after[0] == before[0]:
            yield (
                f"{contract.name} {after[0]}.{after[1]} breaks who goes by {before[0]}.{before[1]}: {'; '.join(broken)}. "
                f"Make it {before[0] + 1}.0 in stream_app/contracts/catalogue.py, or take the change back."
            )


def _changed(contract: Contract, published: Schema, schema: Schema) -> str:
    broken = breaking_changes(published, schema, contract.direction)
    major, minor = _parsed(contract.version)
    wanted = f"{major + 1}.0" if broken else f"{major}.{minor + 1}"
    return (
        f"{contract.name} {contract.version} is published and its schema has changed, which "
        f"{'breaks who goes by it: ' + '; '.join(broken) if broken else 'breaks nobody'}. "
        f"Make it {wanted} in stream_app/contracts/catalogue.py and run `{COMMAND}`, or take the change back."
    )


def _versions(folder: Path, name: str) -> list[Version]:
    files = (file.stem.rpartition("-") for file in folder.glob(f"{name}-*.json"))
    return [_parsed(version) for stem, _, version in files if stem == name]


def _file(name: str, version: Version) -> str:
    return f"{name}-{version[0]}.{version[1]}.json"


def _parsed(version: str) -> Version:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _read(file: Path) -> Schema:
    found: Schema = msgspec.json.decode(file.read_bytes())
    return found

"""``docker-compose.yml`` as plain Python, and its commands outside of a container."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from stream_app.cli import main

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"

Service = Mapping[str, Any]


def document() -> dict[str, Any]:
    """The file with YAML's anchors resolved, and as YAML reads it otherwise."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return read


def services() -> dict[str, Service]:
    """By name, with variables at their defaults."""
    read: dict[str, Service] = _at_defaults(document()["services"])
    return read


def ours() -> dict[str, Service]:
    """The services whose command is ``deskpulse``."""
    return {name: given for name, given in services().items() if given["image"].startswith("deskpulse:") and "entrypoint" not in given}


def command(service: Service) -> list[str]:
    """What runs in the container; ``deskpulse`` is our image's entrypoint."""
    return ["deskpulse", *service["command"]]


def health_command(service: Service) -> list[str]:
    test: list[str] = service["healthcheck"]["test"]
    assert test[0] == "CMD"
    return test[1:]


def parse(words: Sequence[str]) -> None:
    """Has the real command line read a ``deskpulse`` command, and runs nothing. Raises ``click.UsageError``."""
    name, *arguments = words
    assert name == "deskpulse"
    found: click.Command = main
    above = click.Context(main, info_name=name, **main.context_settings)
    while isinstance(found, click.Group):
        inner = found.get_command(above, arguments[0]) if arguments else None
        if inner is None:
            raise click.UsageError(f"no such command: {' '.join(words)}")
        found, arguments = inner, arguments[1:]
        if isinstance(found, click.Group):
            above = click.Context(found, info_name=found.name, parent=above)
    found.make_context(found.name, arguments, parent=above)


def replaced(words: Sequence[str], changes: Mapping[str, str]) -> list[str]:
    """Each word with what differs outside of a container put in its place. Every change has to be found somewhere."""
    assert all(any(old in word for word in words) for old in changes), (words, changes)
    return [_replaced(word, changes) for word in words]


def environment(service: Service, changes: Mapping[str, str]) -> dict[str, str]:
    """The service's variables with the same kind of changes."""
    return {name: _replaced(str(value), changes) for name, value in service["environment"].items()}


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def _at_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _at_defaults(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_at_defaults(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("$$", "$")
    return value

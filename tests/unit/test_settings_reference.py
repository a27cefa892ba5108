"""The pages made from the declarations are in step with them, and complete."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from stream_app.settings import Settings, parse_settings
from stream_app.settings.fields import documentation
from stream_app.settings.reference import effective_toml, example_toml, reference_markdown
from stream_app.settings.schema import InputSettings

ROOT = Path(__file__).parents[2]


def every_key() -> list[dataclasses.Field[object]]:
    sections = [getattr(Settings(), each.name) for each in dataclasses.fields(Settings) if each.name != "inputs"]
    return [key for section in (*sections, InputSettings()) for key in dataclasses.fields(section)]


def test_the_reference_page_is_in_step() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text()
    assert page == reference_markdown(), "run: make reference"


def test_the_example_file_is_in_step() -> None:
    assert (ROOT / "deskpulse.toml").read_text() == example_toml(), "run: make reference"


def test_every_key_is_explained() -> None:
    for key in every_key():
        documented = documentation(key)
        assert documented is not None, key.name
        assert len(documented.meaning) > 5, key.name
        assert documented.meaning.endswith((".", "`")), key.name


def test_the_example_changes_nothing_as_it_is() -> None:
    assert parse_settings(example_toml()) == Settings()


def test_the_example_is_sound_when_every_line_of_it_is_taken_in() -> None:
    opened = re.sub(r"^# (?=\[|\w+ = )", "", example_toml(), flags=re.MULTILINE)
    settings = parse_settings(opened)
    assert settings.dimensions.queue == ("one", "another")
    assert dataclasses.replace(settings, dimensions=Settings().dimensions, metrics=Settings().metrics, board=Settings().board) == Settings()


def test_the_settings_in_force_read_back_as_themselves() -> None:
    settings = parse_settings(
        '[sla.targets.resolution]\n"1 - Critical" = "4h"\n[board]\ntoken_file = "t"\n[board.goals]\nservice_level = 0.8\n'
        '[dimensions]\nqueue = ["a\\"b"]\n[inputs.surveys]\nenabled = false'
    )
    assert parse_settings(effective_toml(settings)) == settings


AWAITED: set[str] = set()
"""Keys that are documented, but that no code reads yet."""

READ_BY_NAME = {"dimensions.queue", "dimensions.channel", "dimensions.priority", "dimensions.team", "dimensions.route", "inputs.enabled"}
"""Keys that are read in another way: the dimensions in a loop, ``enabled`` beside its declaration."""


def test_every_key_is_read_by_something() -> None:
    """A key that changes nothing would be a lie. What only declares, checks or mentions it does not count."""
    sources = [path for path in (ROOT / "stream_app").rglob("*.py") if path.name not in {"schema.py", "checks.py"}]
    text = re.sub(r"`[^`\n]*`", "", "\n".join(path.read_text() for path in sources))
    unread = {key for key in key_names() if not re.search(rf"\b({key.split('.')[0]}|given)\.{key.split('.')[1]}\b", text)}
    assert unread - READ_BY_NAME <= AWAITED


def key_names() -> list[str]:
    defaults = Settings()
    sections = {each.name: getattr(defaults, each.name) for each in dataclasses.fields(Settings)} | {"inputs": InputSettings()}
    return [f"{name}.{key.name}" for name, section in sections.items() for key in dataclasses.fields(section)]

"""Reading the configuration: file, environment, checks."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from stream_app.settings.build import Builder
from stream_app.settings.checks import cross_checks
from stream_app.settings.problems import Problem, SettingsError, in_order
from stream_app.settings.schema import Settings
from stream_app.settings.sources import (
    KeyPath,
    Tree,
    configuration_file,
    parse_text,
    read_environment,
    read_file,
)


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force: defaults, then the file, then the environment (default: this process's).

    Without ``file``, ``DESKPULSE_CONFIG`` or ``./deskpulse.toml`` is read, if there is one.
    Raises ``SettingsError`` with every problem found.
    """
    given = os.environ if environment is None else environment
    chosen = configuration_file(file, given)
    return _checked(_beside(chosen, read_file(chosen)) if chosen is not None else {}, given)


def parse_settings(text: str, name: str = "deskpulse.toml", environment: Mapping[str, str] | None = None) -> Settings:
    """The same from a text, without an environment unless one is given."""
    return _checked(parse_text(text, name), environment or {})


def _checked(tree: Tree, environment: Mapping[str, str]) -> Settings:
    sections = [each.name for each in dataclasses.fields(Settings)]
    variables, problems = read_environment(environment, sections)
    merged = _overridden(tree, variables)
    builder = Builder(merged, problems)
    settings = builder.build()
    if not builder.problems:
        found = (Problem(_where(path, merged), ".".join(path), text) for path, text in cross_checks(settings))
        builder.problems.extend(found)
    if not builder.problems:
        builder.problems.extend(_in_mappings(settings))
    if builder.problems:
        raise SettingsError(in_order(builder.problems))
    return settings


def _beside(file: Path, tree: Tree) -> Tree:
    """``tree`` with the mappings that ``file`` names looked for in its own directory."""
    named = {path: given for path, given in tree.items() if path[:1] + path[2:] == ("inputs", "mapping") and isinstance(given.value, str)}
    found = {path: dataclasses.replace(given, value=str(file.parent / str(given.value))) for path, given in named.items() if given.value}
    return tree | found


def _in_mappings(settings: Settings) -> Iterator[Problem]:
    """What is wrong in the mapping files of the active inputs."""
    for given in settings.active_inputs().values():
        if given.mapping:
            from stream_app.mapping.file import read_rules  # it needs these very settings

            try:
                read_rules(Path(given.mapping))
            except SettingsError as error:
                yield from error.problems


def _overridden(tree: Tree, variables: Tree) -> Tree:
    """``tree`` with the variables in it; an empty table gives way to a key inside it."""
    filled = {path[:length] for path in variables for length in range(1, len(path))}
    kept = {path: given for path, given in tree.items() if not (path in filled and given.value == {})}
    return kept | variables


def _where(path: KeyPath, tree: Tree) -> str:
    """Origin of the key, else of the first one inside it, else of nothing: a default."""
    if path in tree:
        return tree[path].where
    return next((given.where for key, given in tree.items() if key[: len(path)] == path), "")

"""Reading the configuration: file, environment, checks."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from stream_app.settings.build import Builder
from stream_app.settings.checks import cross_checks
from stream_app.settings.problems import Problem, SettingsError
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
    return _checked(read_file(chosen) if chosen is not None else {}, given)


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
    if builder.problems:
        raise SettingsError(_in_order(builder.problems))
    return settings


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


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    def position(problem: Problem) -> tuple[str, int]:
        name, _, line = problem.where.rpartition(":")
        return (name, int(line)) if line.isdigit() else (problem.where, 0)

    return sorted(problems, key=position)

"""From the tree of written values to the settings, collecting everything that is wrong on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin, get_type_hints

from stream_app.settings.convert import convert
from stream_app.settings.fields import Documented, default_of, documentation
from stream_app.settings.problems import Problem, suggestion
from stream_app.settings.schema import InputSettings, Settings
from stream_app.settings.sources import Given, KeyPath, Tree


@dataclass
class Builder:
    """Builds ``Settings`` from ``tree``; ``problems`` holds what was wrong, with the default in its place."""

    tree: Tree
    problems: list[Problem] = field(default_factory=list)

    def build(self) -> Settings:
        """The settings, usable only if there are no problems."""
        settings: Settings = self._section(Settings, ())
        return dataclasses.replace(settings, inputs=named_inputs(settings.inputs))

    def _section(self, kind: type[Any], path: KeyPath, base: object | None = None) -> Any:
        fields = {each.name: each for each in dataclasses.fields(kind)}
        hints = get_type_hints(kind)
        self._refuse_unknown(path, fields)
        values = {}
        for name, each in fields.items():
            default = default_of(each) if base is None else getattr(base, name)
            values[name] = self._value(hints[name], (*path, name), default, documentation(each))
        return kind(**values)

    def _value(self, hint: Any, path: KeyPath, default: object, documented: Documented | None) -> object:
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            return self._section(hint, path) if self._is_table(path) else default
        if documented is None:
            return self._inputs(path, default) if self._is_table(path) else default
        if get_origin(hint) is dict:
            return self._table(hint, path, default, documented)
        if path in self.tree:
            return self._leaf(hint, path, default, documented)
        self._refuse_table(path)
        return default

    def _leaf(self, hint: Any, path: KeyPath, default: object, documented: Documented) -> object:
        given = self.tree[path]
        try:
            return convert(hint, given.value, documented, text=given.text)
        except ValueError as error:
            self._problem(given, path, str(error))
            return default

    def _inputs(self, path: KeyPath, default: object) -> dict[str, InputSettings]:
        inputs: dict[str, InputSettings] = dict(default) if isinstance(default, dict) else {}
        for name in self._names_below(path):
            if self._is_table((*path, name)):
                inputs[name] = self._section(InputSettings, (*path, name), inputs.get(name))
        return inputs

    def _table(self, hint: Any, path: KeyPath, default: object, documented: Documented) -> object:
        """A table with free keys: of values, which replaces its default, or of such tables, which replace theirs."""
        inner = get_args(hint)[1]
        names = self._names_below(path)
        if not self._is_table(path) or (not names and path not in self.tree):
            return default
        if get_origin(inner) is dict:
            former = dict(default) if isinstance(default, dict) else {}
            return former | {name: self._table(inner, (*path, name), {}, documented) for name in names}
        written = {name: self._value(inner, (*path, name), None, documented) for name in names}
        return {name: value for name, value in written.items() if value is not None}

    def _names_below(self, path: KeyPath) -> list[str]:
        depth = len(path)
        return list(dict.fromkeys(key[depth] for key in self.tree if key[:depth] == path and len(key) > depth))

    def _is_table(self, path: KeyPath) -> bool:
        """Whether ``path`` is absent or a table; a plain value in its place is a problem."""
        given = self.tree.get(path)
        if given is None or given.value == {}:
            return True
        self._problem(given, path, f"is a section: write [{'.'.join(path)}] and its keys below")
        return False

    def _refuse_table(self, path: KeyPath) -> None:
        for key, given in self.tree.items():
            if key[: len(path)] == path:
                self._problem(given, path, "is a single value, not a section")
                return

    def _refuse_unknown(self, path: KeyPath, known: Mapping[str, object]) -> None:
        for name in self._names_below(path):
            if name not in known:
                given = next(self.tree[key] for key in self.tree if key[: len(path) + 1] == (*path, name))
                what = "unknown section." if not path else "unknown key."
                self._problem(given, (*path, name), what + (_elsewhere(path, name) or suggestion(name, known)))

    def _problem(self, given: Given, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(given.where, ".".join(path), message))


def named_inputs(inputs: Mapping[str, InputSettings]) -> dict[str, InputSettings]:
    """Inputs with their topic filled in: an input without one is called as its table."""
    return {name: dataclasses.replace(given, topic=given.topic or name) for name, given in inputs.items()}


def _elsewhere(path: KeyPath, name: str) -> str:
    """A hint for a key that exists, but in another section."""
    for each in dataclasses.fields(Settings):
        kind = get_type_hints(Settings)[each.name]
        if path != (each.name,) and dataclasses.is_dataclass(kind) and name in {key.name for key in dataclasses.fields(kind)}:
            return f" It belongs in [{each.name}]."
    return ""

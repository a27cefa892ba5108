"""Where things stand in a mapping file, and what is wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from stream_app.settings.problems import Problem, suggestion
from stream_app.settings.sources import KeyPath, line_of

_Made = TypeVar("_Made")


class Origins:
    """``problems`` collects everything that is wrong, in the order in which it is met."""

    def __init__(self, name: str, lines: Mapping[KeyPath, int]) -> None:
        self._name = name
        self._lines = lines
        self.problems: list[Problem] = []

    def where(self, path: KeyPath) -> str:
        """File and line."""
        return f"{self._name}:{line_of(path, self._lines)}"

    def problem(self, path: KeyPath, message: str) -> None:
        """Notes it once."""
        shown = ".".join(part for part in path if not part.isdigit())
        found = Problem(self.where(path), shown, message)
        if found not in self.problems:
            self.problems.append(found)

    def unknown(self, path: KeyPath, said: str, name: str, known: Iterable[str]) -> None:
        """Something that does not exist, with what may be meant."""
        self.problem(path, said + suggestion(name, known))

    def refuse_unknown(self, path: KeyPath, written: Iterable[str], known: Iterable[str]) -> None:
        """Keys that nothing would read."""
        for key in written:
            if key not in known:
                self.unknown((*path, key), "unknown key.", key, known)

    def tried(self, path: KeyPath, make: Callable[[], _Made]) -> _Made | None:
        """What ``make`` makes; None, and a problem noted, if it raises ``ValueError``."""
        try:
            return make()
        except ValueError as error:
            self.problem(path, str(error))
            return None

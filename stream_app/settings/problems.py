"""What can be wrong with a configuration, told so that the reader knows where to look and what to write."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_LIST = 20
"""So many known names are shown to somebody who wrote an unknown one; more would hide the message."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend. ``where`` is ``file:line`` or the environment variable; empty when it is a default."""

    where: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


class SettingsError(Exception):
    """The configuration can not be used; holds every problem found, not only the first. Mend it, then start again."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """By file and line."""

    def position(problem: Problem) -> tuple[str, int]:
        name, _, line = problem.where.rpartition(":")
        return (name, int(line)) if line.isdigit() else (problem.where, 0)

    return sorted(problems, key=position)


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """`` Did you mean `x`?`` for a near miss, else the list of what is known, else nothing."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wrong.lower(), list(by_lower), n=1, cutoff=0.6)
    if near:
        return f" Did you mean `{by_lower[near[0]]}`?"
    if names and len(names) <= LONGEST_LIST:
        return " Known: " + ", ".join(f"`{name}`" for name in names) + "."
    return ""

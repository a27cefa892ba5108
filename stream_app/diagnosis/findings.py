"""One thing that was looked at, and what came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How bad it is; the value is the symbol, which always stands beside the word."""

    OK = "✓"
    UNKNOWN = "?"
    WARNING = "!"
    PROBLEM = "✗"


@dataclass(frozen=True)
class Finding:
    """What was looked at, what it is, and, unless it is well, what to do."""

    level: Level
    subject: str
    detail: str
    remedy: str = ""

    def lines(self) -> list[str]:
        """``✓ ok       subject: detail`` and the remedy below."""
        first = f"{self.level.value} {self.level.name.lower():8} {self.subject}: {self.detail}"
        return [first, f"             → {self.remedy}"] if self.remedy else [first]


def ok(subject: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, subject, detail)


def unknown(subject: str, detail: str, remedy: str = "") -> Finding:
    """It could not be found out, and that alone is no problem."""
    return Finding(Level.UNKNOWN, subject, detail, remedy)


def warning(subject: str, detail: str, remedy: str) -> Finding:
    """It works, but not as well as it could, or not for long."""
    return Finding(Level.WARNING, subject, detail, remedy)


def problem(subject: str, detail: str, remedy: str) -> Finding:
    """It does not work, or the numbers can not be right."""
    return Finding(Level.PROBLEM, subject, detail, remedy)

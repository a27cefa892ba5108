"""Whether what comes in is made up, for the marks to say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SIMULATED_FOR: Final = 60_000
"""So long (ms) after the last simulated record the input still counts as simulated."""


@dataclass(slots=True)
class Simulation:
    """Whether simulated records come: until a minute after the last, or for good when replayed without a clock."""

    for_good: bool = False
    new: bool = False
    until_ms: int = -1

    def seen(self, *, for_good: bool) -> None:
        self.new = True
        self.for_good = self.for_good or for_good

    def going_on(self, clock_ms: int) -> bool:
        if self.new:
            self.new, self.until_ms = False, clock_ms + SIMULATED_FOR
        return self.for_good or clock_ms < self.until_ms

"""The dice of a simulation."""

from __future__ import annotations

import random


class Chance(random.Random):
    """A seeded random generator with the two questions a simulation asks most."""

    def happens(self, share: float) -> bool:
        """True in this share of all cases."""
        return self.random() < share

    def about(self, mean_ms: float) -> int:
        """An exponential duration in ms."""
        return int(self.expovariate(1 / mean_ms))

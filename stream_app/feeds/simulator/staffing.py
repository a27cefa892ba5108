"""How many representatives a desk needs: Erlang A, whose customers wait exponentially long before they give up."""

from __future__ import annotations

import math
from functools import lru_cache

NEGLIGIBLE = 1e-9
HUGE = 1e100


def abandonment(load: float, seats: int, patience: float) -> float:
    """Share of customers who give up. ``load`` in Erlang, mean ``patience`` in mean handling times.

    Birth and death in customers present, from the textbooks: with more than ``seats`` present each one
    who waits leaves at the rate ``1 / patience``. Weights are relative to that of ``seats`` present.
    """
    below, weight = 0.0, 1.0
    for present in range(seats, 0, -1):
        weight *= present / load
        below += weight
        if weight < NEGLIGIBLE * below:
            break
    waiting, above, weight, present = 0.0, 1.0, 1.0, seats
    while weight > NEGLIGIBLE * above:
        present += 1
        weight *= load / (seats + (present - seats) / patience)
        above += weight
        waiting += weight * (present - seats)
        if weight > HUGE:
            below, above, waiting, weight = below / HUGE, above / HUGE, waiting / HUGE, weight / HUGE
    return waiting / patience / load / (below + above)


@lru_cache(maxsize=4096)
def seats_for(load: float, patience: float, target: float) -> float:
    """The seats at which the target share gives up, as a fraction between the two whole numbers around it.

    At least one. Taking the greater number in that share of all shifts meets the target on average.
    """
    if load <= 0 or abandonment(load, 1, patience) <= target:
        return 1.0
    low, high = 1, math.ceil(load + 3 * math.sqrt(load)) + 2
    while high - low > 1:
        middle = (low + high) // 2
        if abandonment(load, middle, patience) > target:
            low = middle
        else:
            high = middle
    worse, better = abandonment(load, low, patience), abandonment(load, high, patience)
    return low + (worse - target) / (worse - better)

"""Who takes part, in the order of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """``name`` is its module in ``contenders`` and its file in ``requirements``.

    ``peer``: needs an environment of its own. ``events``: its share, where the whole job would take too long. ``ends``: its process
    ends by itself after the last event. ``survives``: what to say about a crash without trying it; empty: it is tried.
    """

    name: str
    title: str
    peer: bool = True
    events: int | None = None
    ends: bool = True
    survives: str = ""


ROSTER = (
    Contender("floor", "Floor: aiokafka + orjson + dict", peer=False, survives="no"),
    Contender("typed_floor", "Floor with msgspec and a tuned collector", peer=False, survives="no"),
    Contender("deskpulse", "**Deskpulse's engine**", peer=False),
    Contender("arroyo", "Sentry Arroyo", survives="no"),
    Contender("bytewax", "Bytewax, input keyed by group", ends=False),
    Contender("pathway", "Pathway", ends=False, survives="inputs; operators need a licence"),
    Contender("quix", "Quix Streams, input keyed by group"),
    Contender("stock_faust", "stock Faust, table", events=20_000, ends=False),
)

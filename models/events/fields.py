"""The types of the input contract's fields, with their limits."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.events.instants import Instant

Identifier = Annotated[str, Meta(max_length=128)]
"""An id. Empty counts as missing; characters that do not print are refused."""

Label = Annotated[str, Meta(max_length=128)]
"""A dimension, a code or a name: becomes a dimension value, at worst ``other``."""

Seconds = Annotated[float, Meta(ge=-1e9, le=1e9)]
"""A duration. Negative ones are accepted, and clamped and counted where they are used."""

Score = Annotated[float, Meta(ge=0, le=10)]
"""A survey score; the range of the survey's kind is checked on top."""

Status = Literal["open", "pending_customer", "pending_third_party", "on_hold"]
Flag = Literal["synthetic", "internal", "spam", "historical"]
Flags = Annotated[tuple[Flag, ...], Meta(max_length=16)]
CommitmentKind = Literal["next_update", "callback", "eta"]
SurveyKind = Literal["csat", "nps", "ces"]
Kind = Literal["next_update", "callback", "eta", "csat", "nps", "ces"]

SCORE_RANGES: dict[str, tuple[float, float]] = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}
"""Lowest and highest score of each kind of survey, both included."""


class Due(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Instants the source has promised; they outrank a policy's targets."""

    first_reply: Instant | None = None
    resolution: Instant | None = None

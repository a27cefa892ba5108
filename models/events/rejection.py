"""Why an input record cannot become an event. What is rejected goes to the dead letters and is never tried again."""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    "empty",
    "schema_registry_bytes",
    "too_large",
    "not_utf8",
    "not_json",
    "too_deep",
    "not_an_object",
    "unknown_schema",
    "unknown_type",
    "missing_field",
    "invalid_field",
    "from_the_future",
    "unmapped",
    "internal_error",
]

REASONS: tuple[Reason, ...] = get_args(Reason)

_DETAIL_CAP = 200


class RejectedError(Exception):
    """Never retry, dead-letter. ``field`` is the offending field's path or empty; ``detail`` is for people, capped."""

    def __init__(self, reason: Reason, field: str = "", detail: str = "") -> None:
        super().__init__(reason, field, detail)
        self.reason: Reason = reason
        self.field = field[:_DETAIL_CAP]
        self.detail = detail[:_DETAIL_CAP]

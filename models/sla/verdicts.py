"""What is said outside about a clock: each verdict once, a changed one retracted first.

    (nothing) -> at_risk -> breached ── a reply in time arrives late ──> retracted, met (revision + 1)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from models.sla.clock import MET, PASSED, RUNNING, Clock

Verdict = tuple[str, int, bool]
UNSAID: Final[Verdict] = ("", 1, False)


def kind_of(clock: Clock, settled_to: int) -> str:
    """``met``, ``breached`` (only once the watermark confirmed it) or nothing yet."""
    if clock.state == MET:
        return "met"
    if clock.state == PASSED and clock.due is not None and clock.due <= settled_to:
        return "breached"
    return ""


def statements(clock: Clock, said: Verdict, settled_to: int, warn_share: float, *, exempt: bool) -> Iterator[tuple[str, int, Verdict]]:
    """(kind, revision, what has then been said) for everything that is to be said now."""
    kind, revision, warned = said
    now = "" if exempt else kind_of(clock, settled_to)
    if kind and now != kind:
        said = ("", revision + 1, False)
        yield "retracted", revision, said
        kind, revision, warned = said
    if not now and not exempt and not warned and clock.state == RUNNING:
        warn_at = clock.warn_at(warn_share)
        if warn_at is not None and warn_at <= settled_to:
            said = ("", revision, True)
            yield "at_risk", revision, said
    if now and now != kind:
        yield now, revision, (now, revision, warned)


def body(case_id: str, clock: Clock, kind: str, revision: int, detected_at: int, context: Mapping[str, Any]) -> dict[str, Any]:
    """The sla-events record (``docs/explanation/contracts.md``)."""
    due, fulfilled = clock.due, clock.fulfilled_at
    record: dict[str, Any] = {
        "id": f"{case_id}:{clock.metric}:{kind}:{revision}",
        "case_id": case_id,
        "metric": clock.metric,
        "cycle": 1,
        "kind": kind,
        "due_at": due,
        "fulfilled_at": fulfilled,
        "detected_at": detected_at if detected_at > 0 else None,
        "target_seconds": None if clock.target is None else clock.target / 1000,
        "overrun_seconds": max(fulfilled - due, 0) / 1000 if due is not None and fulfilled is not None else None,
        "policy": "source" if clock.fixed is not None else "targets",
        "revision": revision,
        "confirmed": True,
    }
    record.update(context)
    return record

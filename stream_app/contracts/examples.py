"""One record of each kind that others read, as the schemas show it."""

from __future__ import annotations

from typing import Any

import msgspec

from stream_app.contracts.case_records import CaseClock, CaseEvent, ClosedCase, DeadLetterHeaders, OpenCase, SlaEvent
from stream_app.contracts.kpi_records import FinalKpi, LiveKpi, NextItem, NextToBreach, PipelineWatermark, SourceProgress

_AT = 1_772_442_845_120
_QUARTER = 900_000

_LIVE = LiveKpi(
    kpi="service_level", value=0.85, unit="ratio", window="30m", group={"queue": "billing"}, watermark=_AT, state="provisional",
    numerator=17, denominator=20, excluded=1, window_start=_AT - 2 * _QUARTER, window_end=_AT, definition_version=1,
)  # fmt: skip
_FINAL = FinalKpi(
    kpi="first_contact_resolution", value=None, unit="ratio", window="day", group={}, watermark=_AT, state="final",
    numerator=0, denominator=0, window_start=1_772_323_200_000, window_end=1_772_409_600_000, revision=2, old_value=1.0,
    definition_version=1,
)  # fmt: skip
_WATERMARK = PipelineWatermark(
    kpi="watermark", value=_AT, unit="ms", window="now", group={}, watermark=_AT, state="provisional", clock=_AT + 4_000, simulated=False
)
_SOURCE = SourceProgress(
    kpi="source_progress", value=_AT, unit="ms", window="now", group={"source": "contacts-3"}, watermark=_AT, state="provisional",
    lag_seconds=4.0,
)  # fmt: skip
_ITEM = NextItem(
    case_id="T-1041", metric="resolution", due_at=_AT + _QUARTER, warn_at=_AT, at_risk=True,
    queue="billing", channel="phone", priority="urgent", team="first-line",
)  # fmt: skip
_NEXT = NextToBreach(
    kpi="next_to_breach", value=1, unit="cases", window="now", group={}, watermark=_AT, state="provisional", items=[_ITEM]
)
_HAPPENED = CaseEvent(
    id="T-1041:opened:7f3a", case_id="T-1041", kind="opened", occurred_at=_AT, event_id="7f3a",
    queue="billing", channel="phone", priority="urgent", team="first-line",
)  # fmt: skip
_VERDICT = SlaEvent(
    id="T-1041:first_reply:breached:1", case_id="T-1041", metric="first_reply", cycle=1, kind="breached", due_at=_AT, fulfilled_at=None,
    detected_at=_AT + 6_000, target_seconds=900.0, overrun_seconds=None, policy="targets", revision=1, confirmed=True,
    queue="billing", channel="phone", priority="urgent", team="first-line", reason="", alert=True,
)  # fmt: skip
_CASE = OpenCase(
    fence=(0, 81_224), case_id="T-1041", status="open", opened_at=_AT, first_reply_at=_AT + 210_000, first_resolved_at=None,
    awaiting_since=None, queue="billing", channel="phone", priority="urgent", team="first-line", contacts=1, reopened=0,
    settled_to=_AT + 240_000, clocks=[CaseClock(metric="resolution", state=1, due_at=_AT + 16 * _QUARTER)],
)  # fmt: skip
_LETTER = DeadLetterHeaders(
    reason="missing_field", field="occurred_at", detail="", topic="contacts", partition="3", offset="17", by="intake", timestamp=str(_AT)
)

EXAMPLES: dict[str, tuple[msgspec.Struct, ...]] = {
    "kpis": (_LIVE, _WATERMARK, _SOURCE, _NEXT),
    "kpi-windows": (_FINAL,),
    "case-events": (_HAPPENED,),
    "sla-events": (_VERDICT,),
    "cases": (_CASE, ClosedCase(fence=(0, 90_001), deleted=True)),
    "dead-letters": (_LETTER,),
}


def examples_of(name: str) -> list[Any]:
    """Plain JSON values; none for a record that is internal."""
    return [msgspec.to_builtins(record) for record in EXAMPLES.get(name, ())]

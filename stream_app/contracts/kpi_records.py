"""Records of ``kpis`` and ``kpi-windows`` as their readers see them.

Rollup writes all of them from one flat struct (``models.rollup.records.KpiRecord``); here each kind has the fields that it really has.
Tests hold what Rollup writes to these types, byte for byte.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from models.catalogue.entry import Unit
from stream_app.contracts.fields import Channel, Metric, Priority, Queue, Team, described, instant, seconds

Number = int | float
LIVE_WINDOWS = ("now", "5m", "15m", "30m", "60m", "today", "7d", "28d")
FINAL_WINDOWS = ("hour", "day", "span")

KpiId = Annotated[str, described("Id of the KPI in the catalogue (`deskpulse kpis`).")]
Group = Annotated[
    dict[str, str],
    described("The part of the work that is measured, as dimension and value; empty for the whole. Surveys have their `route` beside."),
]
Watermark = Annotated[int | None, instant("Up to when the sources were complete; null before all were heard.")]
Provisional = Annotated[Literal["provisional"], described("It may still change.")]
Nothing = Annotated[dict[str, str], described("Always empty.")]


class KpiFigures(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a KPI's value is made of; a part that does not apply is absent."""

    numerator: Annotated[Number | None, described("Numerator of a ratio or a mean.")] = None
    denominator: Annotated[Number | None, described("Denominator of a ratio or a mean. 0 makes the value null.")] = None
    n: Annotated[int | None, described("How many observations a percentile or score is made of.")] = None
    low: Annotated[float | None, described("Lower bound of the value (95 %).")] = None
    high: Annotated[float | None, described("Upper bound of the value (95 %).")] = None
    small_n: Annotated[bool, described("So few observations that the value says little.")] = False
    excluded: Annotated[Number | None, described("Left out of the denominator on purpose.")] = None
    since: Annotated[int | None, instant("Since when a value that grows with the clock has grown.")] = None


class LiveKpi(KpiFigures, kw_only=True, omit_defaults=True):
    """The current value of one KPI, window and group. The later record of a key holds."""

    kpi: KpiId
    value: Annotated[Number | None, described("The value in `unit`. Null where there is no data, which is not 0.")]
    unit: Annotated[str, described("Unit of the value.", known=get_args(Unit))]
    window: Annotated[str, described("The window.", known=LIVE_WINDOWS)]
    group: Group
    watermark: Watermark
    state: Provisional
    window_start: Annotated[int | None, instant("First instant of the window; absent for `now`.")] = None
    window_end: Annotated[int | None, instant("First instant after the window; absent for `now`.")] = None
    definition_version: Annotated[int, described("Version of the KPI's definition.")] = 0


class FinalKpi(KpiFigures, kw_only=True, omit_defaults=True):
    """One KPI of an hour, a day or the whole span. Of two records of one key the one with the greater revision holds."""

    kpi: KpiId
    value: Annotated[Number | None, described("The value in `unit`. Null where there is no data, which is not 0.")]
    unit: Annotated[str, described("Unit of the value.", known=get_args(Unit))]
    window: Annotated[str, described("The window.", known=FINAL_WINDOWS)]
    group: Group
    watermark: Watermark
    state: Annotated[
        Literal["provisional", "final"],
        described("`final`: the watermark is ten minutes past the window's end. `span` is always provisional."),
    ]
    window_start: Annotated[int, instant("First instant of the window.")]
    window_end: Annotated[int, instant("First instant after the window.")]
    revision: Annotated[int, described("1, and one more with each correction.")]
    old_value: Annotated[Number | UnsetType | None, described("The value that this one corrects; absent in revision 1.")] = UNSET
    definition_version: Annotated[int, described("Version of the KPI's definition.")] = 0


class PipelineWatermark(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Sent last in each publish cycle: the other records are complete up to its value."""

    kpi: Literal["watermark"]
    value: Annotated[int | None, instant("Up to when all KPIs have been published; null before all sources were heard.")]
    unit: Literal["ms"]
    window: Literal["now"]
    group: Nothing
    watermark: Watermark
    state: Provisional
    clock: Annotated[int, instant("The log's clock.")]
    simulated: Annotated[bool, described("The events are made up.")]


class SourceProgress(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far one source is. A tombstone says that the source is gone."""

    kpi: Literal["source_progress"]
    value: Annotated[int | None, instant("Up to when the source is complete; null if it has not been heard.")]
    unit: Literal["ms"]
    window: Literal["now"]
    group: Annotated[dict[str, str], described("`source`: its name, such as `contacts-3`.")]
    watermark: Watermark
    state: Provisional
    lag_seconds: Annotated[float | None, seconds("How far behind the log's clock it is.")] = None


class NextItem(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A clock that is due soon."""

    case_id: Annotated[str, described("The case.")]
    metric: Metric
    due_at: Annotated[int, instant("When it is due.")]
    warn_at: Annotated[int, instant("When it counts as at risk.")]
    at_risk: Annotated[bool, described("It is at risk already.")]
    queue: Queue
    channel: Channel
    priority: Priority
    team: Team


class NextToBreach(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The running clocks that are due first, soonest first."""

    kpi: Literal["next_to_breach"]
    value: Annotated[int, described("How many there are in `items`.")]
    unit: Literal["cases"]
    window: Literal["now"]
    group: Nothing
    watermark: Watermark
    state: Provisional
    items: Annotated[list[NextItem], described("The ten earliest, at most.")]


LiveKey = Annotated[tuple[str, str, dict[str, str]], described("`[kpi, window, group]` as JSON.")]
FinalKey = Annotated[
    tuple[str, str, dict[str, str], int], described("`[kpi, window, group, window_start]` as JSON; the start of `span` is 0.")
]

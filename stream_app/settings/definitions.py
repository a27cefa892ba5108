"""The settings that every worker must share, in the shape in which they stand in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from stream_app.settings.durations import whole_seconds

if TYPE_CHECKING:
    from stream_app.settings.schema import DimensionSettings, Settings, SlaSettings


def definitions_body(settings: Settings) -> dict[str, object]:
    """Body of a ``Definitions`` record: plain JSON values, the same for the same settings."""
    kpis = settings.kpis
    return {
        "horizon_s": whole_seconds(settings.time.horizon),
        "zone": kpis.zone,
        "fast_tier": kpis.live_windows,
        "dimensions": _dimensions(settings.dimensions),
        "dimension_cap": settings.dimensions.cap,
        "queued_channels": list(kpis.queued_channels),
        "service_level_target_s": whole_seconds(kpis.service_level_target),
        "short_abandon_s": whole_seconds(kpis.short_abandon),
        "repeat_window_d": _days(kpis.repeat_window),
        "reopen_window_d": _days(kpis.reopen_window),
        "sla": _sla(settings.sla),
        "row_cap_bytes": settings.engine.row_cap_bytes,
    }


def _dimensions(dimensions: DimensionSettings) -> dict[str, list[str] | None]:
    names = ("queue", "channel", "priority", "team", "route")
    listed = {name: getattr(dimensions, name) for name in names}
    return {name: None if values is None else list(values) for name, values in listed.items()}


def _sla(sla: SlaSettings) -> dict[str, object]:
    targets = {
        metric: {priority: whole_seconds(target) for priority, target in by_priority.items()} for metric, by_priority in sla.targets.items()
    }
    return {"targets": targets, "pause_statuses": list(sla.pause_statuses), "warn_percent": sla.warn_percent}


def _days(duration: timedelta) -> int:
    return duration // timedelta(days=1)

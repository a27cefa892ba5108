"""The definitions that hold for cases, read once from the body of a definitions record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SECOND: Final = 1_000
DAY: Final = 86_400_000
DEFAULT_PRIORITY: Final = "default"


@dataclass(frozen=True)
class CaseRules:
    """Settings in milliseconds. ``targets`` maps metric -> priority -> target; ``default`` stands for the priorities not named.

    ``changed``: others held before, so a row may have contributed its facts under those.
    """

    horizon: int = 35 * DAY
    zone: str = "UTC"
    fast_tier: bool = True
    listed: Mapping[str, object] = field(default_factory=dict)
    dimension_cap: int = 200
    queued_channels: frozenset[str] = frozenset({"phone", "chat"})
    service_level_target: int = 20 * SECOND
    short_abandon: int = 5 * SECOND
    repeat_window: int = 7 * DAY
    reopen_window: int = 7 * DAY
    targets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pause_statuses: frozenset[str] = frozenset()
    warn_share: float = 0.75
    row_cap: int = 262_144
    changed: bool = False

    @classmethod
    def from_body(cls, body: Mapping[str, Any], *, changed: bool = False) -> CaseRules:
        """Rules of a definitions body (``docs/explanation/contracts.md``); what is absent keeps its default."""
        sla: Mapping[str, Any] = body.get("sla", {})
        plain = cls()
        return cls(
            horizon=_ms(body, "horizon_s", plain.horizon),
            zone=body.get("zone", plain.zone),
            fast_tier=body.get("fast_tier", True),
            listed=body.get("dimensions", {}),
            dimension_cap=body.get("dimension_cap", plain.dimension_cap),
            queued_channels=frozenset(body.get("queued_channels", plain.queued_channels)),
            service_level_target=_ms(body, "service_level_target_s", plain.service_level_target),
            short_abandon=_ms(body, "short_abandon_s", plain.short_abandon),
            repeat_window=round(body.get("repeat_window_d", 7) * DAY),
            reopen_window=round(body.get("reopen_window_d", 7) * DAY),
            targets={
                metric: {priority: round(seconds * SECOND) for priority, seconds in by_priority.items() if seconds is not None}
                for metric, by_priority in sla.get("targets", {}).items()
            },
            pause_statuses=frozenset(sla.get("pause_statuses", ())),
            warn_share=sla.get("warn_percent", 75) / 100,
            row_cap=body.get("row_cap_bytes", plain.row_cap),
            changed=changed,
        )

    def target(self, metric: str, priority: str) -> int | None:
        """Target (ms) of a metric for a priority as the source names it; ``None``: no clock."""
        by_priority = self.targets.get(metric)
        if not by_priority:
            return None
        return by_priority.get(priority, by_priority.get(DEFAULT_PRIORITY))


def _ms(body: Mapping[str, Any], key: str, default: int) -> int:
    value = body.get(key)
    return default if value is None else round(value * SECOND)

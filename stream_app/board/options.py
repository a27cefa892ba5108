"""What the board is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BoardOptions:
    """``zone`` is an IANA name; ``goals`` maps a KPI id to the value it should reach, in the KPI's own unit."""

    host: str = "127.0.0.1"
    port: int = 8088
    token: str | None = None
    name: str = "Support"
    zone: str = "UTC"
    goals: dict[str, float] = field(default_factory=dict)
    frame_seconds: float = 1.0
    beat_seconds: float = 5.0
    write_timeout_seconds: float = 10.0
    clients: int = 500

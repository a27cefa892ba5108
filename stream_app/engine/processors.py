"""What the engine calls on Intake and Rollup; the stateful kind is ``agents.ports.StatefulProcessor``."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Protocol

from agents.ports import Output, Record


class IntakeProcessor(Protocol):
    """Stateless: input topics to the canonical log. Sources are ``<logical input>-<partition>``."""

    def assigned(self, sources: set[str]) -> None:
        """From now on these sources, and no others, are read here."""

    def handle_together(
        self, waiting: Mapping[str, Sequence[Record]], more: Container[str], most: int
    ) -> tuple[list[Output], dict[str, int]]:
        """Decode and route records of several sources in the order of event time, at most ``most``, and not beyond the end of a
        source of which there is ``more``. Answers how many of each were taken too. Must not raise for a bad record."""

    def marks(self, clock_ms: int, complete_at: dict[str, int], skew_ms: int | None) -> list[Output]:
        """Progress of everything handled so far, one mark per log partition. Every output of earlier
        ``handle`` calls has been acknowledged. ``complete_at``: all records before that wall-clock instant
        were handled. ``skew_ms``: broker time minus local time, None when unknown."""

    def paused(self) -> set[str]:
        """Sources that are too far ahead of the slowest and shall not be fetched for now."""


class RollupProcessor(Protocol):
    """Merges panes and publishes; has no state of its own but what it reads back."""

    def assigned(self) -> None: ...

    def revoked(self) -> None: ...

    def read_panes(self, records: Sequence[Record]) -> None: ...

    def read_published(self, topic: str, records: Sequence[Record]) -> None:
        """What this processor published earlier, by logical topic, read once to the end."""

    def start_publishing(self) -> None:
        """Panes and published topics were read to their ends as of the assignment."""

    @property
    def moved(self) -> int:
        """How far (ms) the log's clock moved between the last two publications."""

    @property
    def behind(self) -> bool:
        """Whether time stands still, and the last publication left rows for the next."""

    def publish(self, clock_ms: int) -> list[Output]:
        """Changed values, to be sent when the outputs of the call before have been acknowledged."""

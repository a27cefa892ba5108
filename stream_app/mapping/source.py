"""The mappings of the configured inputs, as Intake takes them."""

from __future__ import annotations

from pathlib import Path

from agents.intake import SourceMapping
from models.events.accepted import Accepted
from stream_app.mapping.file import read_rules
from stream_app.mapping.rules import Rules
from stream_app.settings import Settings
from stream_app.wire.decoder import accept_fields, decode_any


def source_mappings(settings: Settings) -> dict[str, SourceMapping]:
    """By logical input name, for those that have one. Raises ``SettingsError``."""
    return {name: source_mapping(read_rules(Path(given.mapping))) for name, given in settings.active_inputs().items() if given.mapping}


def source_mapping(rules: Rules) -> SourceMapping:
    """All events of a message, or a rejection of it as a whole."""

    def mapped(value: bytes | None, timestamp: int, origin: str) -> list[Accepted]:
        return [accept_fields(fields, timestamp, origin) for fields in rules.events(decode_any(value))]

    return mapped

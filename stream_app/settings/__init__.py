"""The configuration: one TOML file, environment variables, defaults that work without either."""

from stream_app.settings.durations import format_duration, milliseconds, parse_duration, whole_seconds
from stream_app.settings.kafka_schema import KafkaSettings
from stream_app.settings.loading import load_settings, parse_settings
from stream_app.settings.problems import Problem, SettingsError
from stream_app.settings.schema import (
    BoardSettings,
    DimensionSettings,
    EngineSettings,
    InputSettings,
    KpiSettings,
    LogSettings,
    MetricsSettings,
    Settings,
    SlaSettings,
    TimeSettings,
)

__all__ = [
    "BoardSettings",
    "DimensionSettings",
    "EngineSettings",
    "InputSettings",
    "KafkaSettings",
    "KpiSettings",
    "LogSettings",
    "MetricsSettings",
    "Problem",
    "Settings",
    "SettingsError",
    "SlaSettings",
    "TimeSettings",
    "format_duration",
    "load_settings",
    "milliseconds",
    "parse_duration",
    "parse_settings",
    "whole_seconds",
]

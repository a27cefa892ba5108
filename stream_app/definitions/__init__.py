"""The definitions of an installation live in its logs: a worker begins them, ``deskpulse config publish`` changes them."""

from stream_app.definitions.log import DefinitionsError, DefinitionsLog, definitions_log
from stream_app.definitions.start import ensure_definitions

__all__ = ["DefinitionsError", "DefinitionsLog", "definitions_log", "ensure_definitions"]

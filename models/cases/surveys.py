"""Surveys of a case: the last response of each survey counts, dated when it was given."""

from __future__ import annotations

from typing import Final

from models.cases.items import Payload
from models.panes.dimensions import Cell, Dimensions
from models.panes.facts import Entry

CSAT_TOP: Final = 4  # top two boxes of 1..5
NPS_PROMOTER: Final = 9
NPS_DETRACTOR: Final = 6
CES_LOW_EFFORT: Final = 5  # of 1..7


class SurveyFold:
    """Per survey_id: where it was sent, and the entries its present response contributes."""

    __slots__ = ("_dimensions", "_responses", "_sent")

    def __init__(self, dimensions: Dimensions) -> None:
        self._dimensions = dimensions
        self._sent: dict[str, tuple[int, Cell, str]] = {}
        self._responses: dict[str, list[Entry]] = {}

    def sent(self, at: int, cell: Cell, payload: Payload, journal: list[Entry]) -> None:
        """Take a ``survey.sent``; only the first of a survey counts."""
        _, _, survey_id, kind, route = payload
        if survey_id in self._sent:
            return
        name = f"{kind}:{self._dimensions.normal('route', route)}"
        self._sent[survey_id] = at, cell, name
        journal.append((f"survey_sent:{name}", at, cell, 1))
        if survey_id in self._responses:
            journal.append((f"survey_returned:{name}", at, cell, 1))

    def responded(self, at: int, cell: Cell, payload: Payload, journal: list[Entry]) -> None:
        """Take a ``survey.responded``; it replaces an earlier response."""
        _, _, survey_id, kind, route, score, _ = payload
        before = self._responses.get(survey_id)
        if before is not None:
            journal.extend((key, when, where, -weight) for key, when, where, weight in before)
        elif survey_id in self._sent:
            sent_at, sent_cell, name = self._sent[survey_id]
            journal.append((f"survey_returned:{name}", sent_at, sent_cell, 1))
        entries = [(key, at, cell, weight) for key, weight in _contribution(kind, self._dimensions.normal("route", route), score)]
        self._responses[survey_id] = entries
        journal.extend(entries)


def _contribution(kind: str, route: str, score: float) -> list[tuple[str, int]]:
    result = [(f"{kind}_responses:{route}", 1)]
    if kind == "csat" and score >= CSAT_TOP:
        result.append((f"csat_top2:{route}", 1))
    elif kind == "nps" and score >= NPS_PROMOTER:
        result.append((f"nps_promoters:{route}", 1))
    elif kind == "nps" and score <= NPS_DETRACTOR:
        result.append((f"nps_detractors:{route}", 1))
    elif kind == "ces":
        result.append((f"ces_sum:{route}", round(score * 1000)))
        if score >= CES_LOW_EFFORT:
            result.append((f"ces_low_effort:{route}", 1))
    return result

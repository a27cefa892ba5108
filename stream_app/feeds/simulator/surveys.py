"""Opinions: surveys after a resolution, and periodic ones that belong to no case."""

from __future__ import annotations

from collections.abc import Generator

from stream_app.feeds.simulator.agenda import Agenda, Process, Signal
from stream_app.feeds.simulator.chance import Chance
from stream_app.feeds.simulator.journal import Case, Journal
from stream_app.feeds.simulator.profile import HOUR, MINUTE, SCORES, SURVEY_KINDS, SURVEY_ROUTES


class SurveyOffice:
    """Sends surveys and receives some answers; a few people answer twice."""

    def __init__(self, agenda: Agenda, journal: Journal, chance: Chance, haste: float) -> None:
        self.agenda = agenda
        self.journal = journal
        self.chance = chance
        self.haste = haste

    def ask(self, case: Case) -> Process:
        """One survey about a case."""
        yield int(self.chance.uniform(5, 60) * MINUTE / self.haste)
        if case.gone:
            return
        kind = SURVEY_KINDS.pick(self.chance)
        yield from self._run(kind, {"case_id": case.case_id, "customer_id": case.customer_id})

    def periodic(self, mean_gap: float) -> Process:
        """Relationship surveys to customers picked by lot, for ever."""
        while True:
            yield self.chance.about(mean_gap)
            customer_id = f"{self.journal.tag}-u{self.chance.randrange(10_000)}"
            self.agenda.start(self._run("nps", {"customer_id": customer_id}))

    def _run(self, kind: str, owner: dict[str, object]) -> Process:
        survey: dict[str, object] = {
            "survey_id": self.journal.name("s"),
            "kind": kind,
            "route": SURVEY_ROUTES[kind].pick(self.chance),
            **owner,
        }
        self.journal.write("survey.sent", **survey)
        if self.chance.happens(0.45):
            yield from self._answer(kind, survey)
            if self.chance.happens(0.04):
                yield from self._answer(kind, survey)

    def _answer(self, kind: str, survey: dict[str, object]) -> Generator[int | Signal, object, None]:
        yield int(self.chance.about(3 * HOUR) / self.haste)
        answer: dict[str, object] = {"score": int(SCORES[kind].pick(self.chance))}
        if self.chance.happens(0.5):
            answer["resolved"] = self.chance.happens(0.8)
        if self.chance.happens(0.1):
            answer["comment"] = "A simulated comment."
        self.journal.write("survey.responded", **survey, **answer)

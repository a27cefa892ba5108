"""What becomes of a case around and after its contacts: replies, promises, escalations, solutions, returns."""

from __future__ import annotations

from collections.abc import Callable, Generator

from stream_app.feeds.simulator.agenda import Agenda, Process, Signal
from stream_app.feeds.simulator.chance import Chance
from stream_app.feeds.simulator.contacts import ContactDesk
from stream_app.feeds.simulator.journal import Case, Journal
from stream_app.feeds.simulator.profile import (
    DAY,
    FLAGS,
    HOUR,
    MINUTE,
    PRIORITIES,
    QUEUES,
    RESOLUTION_CODES,
    Choice,
)
from stream_app.feeds.simulator.surveys import SurveyOffice

Steps = Generator[int | Signal, object, None]
NewCase = Callable[[Case], Case]

ENDINGS = Choice(("resolved", "merged", "cancelled", "forgotten"), (89, 4, 3, 4))
"""How a case ends that one contact did not solve."""


class Casework:
    """Stories of cases. ``haste`` divides every delay of hours and days, for demonstrations."""

    def __init__(self, agenda: Agenda, journal: Journal, desk: ContactDesk, surveys: SurveyOffice, chance: Chance, haste: float) -> None:
        self.agenda = agenda
        self.journal = journal
        self.desk = desk
        self.surveys = surveys
        self.chance = chance
        self.haste = haste
        self.latest_case = ""

    def story(self, case: Case) -> Process:
        """A case from its first contact to its end."""
        result = yield from self.desk.visit(case, case.channel)
        if result == "abandoned":
            yield from self._left_without_answer(case)
            return
        if result == "callback":
            yield from self._call_back(case)
        self._decorate(case)
        if case.status == "open" and self.chance.happens(0.7):
            self._resolve(case, first_contact=True)
        elif case.status == "open":
            yield from self._pursue(case)
        self.latest_case = case.case_id
        if case.status == "resolved":
            yield from self._aftermath(case)

    def _later(self, mean_ms: float) -> int:
        return int(self.chance.about(mean_ms) / self.haste)

    def _again(self, case: Case) -> Case:
        """A new case of the same customer for the same reason, perhaps by another channel."""
        queue = next(queue for queue in QUEUES if queue.name == case.queue)
        channel = case.channel if self.chance.happens(0.6) else queue.channels.pick(self.chance)
        return Case(
            self.journal.name("c"), case.customer_id, case.queue, channel, case.reason,
            PRIORITIES.pick(self.chance), case.team, case.tier,
        )  # fmt: skip

    def _left_without_answer(self, case: Case) -> Steps:
        if self.chance.happens(0.45):
            self.agenda.start(self.story(self._again(case)), self._later(10 * MINUTE))
        yield self._later(HOUR)
        self._close(case)

    def _call_back(self, case: Case) -> Steps:
        promise = self._promise("callback", self.chance.choice((15 * MINUTE, HOUR)))
        self.journal.about(case, "commitment.made", **promise)
        yield from self.desk.answer_in_writing(case)
        self.journal.about(case, "commitment.fulfilled", **promise)

    def _promise(self, kind: str, within: int) -> dict[str, object]:
        return {
            "commitment_id": self.journal.name("p"),
            "kind": kind,
            "promised_for": self.agenda.now + int(within / self.haste),
        }

    def _keep_promise(self, case: Case) -> Process:
        """A promise that is kept, put off and kept, kept late, or forgotten."""
        within = self.chance.choice((2 * HOUR, 8 * HOUR, 24 * HOUR))
        promise = self._promise(self.chance.choice(("next_update", "eta")), within)
        self.journal.about(case, "commitment.made", **promise)
        if self.chance.happens(0.25):
            yield int(0.7 * within / self.haste)
            promise["promised_for"] = self.agenda.now + int(within / self.haste)
            self.journal.about(case, "commitment.revised", **promise)
        if self.chance.happens(0.9):
            yield int(within * self.chance.uniform(0.2, 1.15) / self.haste)
            self.journal.about(case, "commitment.fulfilled", **promise)

    def _decorate(self, case: Case) -> None:
        """What people find out about a case while they handle it."""
        if self.chance.happens(0.03):
            case.priority = PRIORITIES.pick(self.chance)
            self.journal.about(case, "case.priority_changed", priority=case.priority)
        if self.chance.happens(0.03):
            queue = next(queue for queue in QUEUES if queue.name == case.queue)
            case.reason = self.chance.choice(queue.reasons)
            changed = {"team": queue.team} if self.chance.happens(0.3) else {}
            self.journal.about(case, "case.reclassified", reason=case.reason, **changed)
        if self.chance.happens(0.01):
            self.journal.about(case, "case.flagged", flags=[FLAGS.pick(self.chance)])
        elif self.chance.happens(0.01):
            self.journal.about(case, "case.flagged", flags=[], complaint=True)
        if self.chance.happens(0.01):
            case.customer_id = f"{self.journal.tag}-u{self.chance.randrange(50)}"
            self.journal.about(case, "case.customer_changed", customer_id=case.customer_id)

    def _pursue(self, case: Case) -> Steps:
        """A case that one contact did not solve."""
        if self.chance.happens(0.3):
            self.agenda.start(self._keep_promise(case))
        for _ in range(self.chance.randint(1, 3)):
            if self.chance.happens(0.15):
                self._escalate(case)
            yield from self._round(case)
        ending = ENDINGS.pick(self.chance)
        if ending == "merged" and self.latest_case not in ("", case.case_id):
            self.journal.about(case, "case.merged", into_case_id=self.latest_case)
            case.gone = True
        elif ending == "cancelled":
            self.journal.about(case, "case.cancelled")
            case.gone = True
        elif ending == "forgotten":
            yield self._later(4 * DAY)
            self._close(case)
        else:
            self._resolve(case, first_contact=False)

    def _escalate(self, case: Case) -> None:
        level = self.chance.choice(("second", "third"))
        moved = {"to_team": "engineering"} if self.chance.happens(0.5) else {}
        case.team = moved.get("to_team", case.team)
        self.journal.about(case, "case.escalated", to_level=level, **moved)

    def _round(self, case: Case) -> Steps:
        """Somebody waits for somebody, then there is an answer."""
        status = self.chance.choices(("pending_customer", "pending_third_party", "on_hold", "open"), (45, 15, 10, 30))[0]
        if status != "open":
            self.journal.about(case, "case.status_changed", status=status)
        yield self._later(5 * HOUR)
        if status == "pending_customer" or self.chance.happens(0.2):
            self.journal.about(case, "message.customer")
        if status != "open":
            self.journal.about(case, "case.status_changed", status="open")
        yield from self.desk.answer_in_writing(case)

    def _resolve(self, case: Case, *, first_contact: bool) -> None:
        case.status = "resolved"
        fields: dict[str, object] = {"resolution_code": RESOLUTION_CODES.pick(self.chance)}
        if self.chance.happens(0.8):
            fields["first_contact"] = first_contact
        self.journal.about(case, "case.resolved", **fields)

    def _close(self, case: Case) -> None:
        case.status = "closed"
        self.journal.about(case, "case.closed")

    def _aftermath(self, case: Case) -> Steps:
        """Asked for an opinion; perhaps back for the same reason, in a new case or the old one; closed."""
        if self.chance.happens(0.3):
            self.agenda.start(self.surveys.ask(case))
        if self.chance.happens(0.2):
            self.agenda.start(self.story(self._again(case)), self._later(0.4 * DAY))
        if self.chance.happens(0.05):
            yield self._later(8 * HOUR)
            yield from self.desk.visit(case, self.chance.choice(("phone", "email")))
        if self.chance.happens(0.06):
            yield self._later(10 * HOUR)
            self._reopen(case)
            yield from self._round(case)
            self._resolve(case, first_contact=False)
        if self.chance.happens(0.85):
            yield int(self.chance.uniform(0.5, 2.5) * DAY / self.haste)
            self._close(case)

    def _reopen(self, case: Case) -> None:
        """By its own event, or, as some systems do, by a status only."""
        case.status = "open"
        if self.chance.happens(0.75):
            self.journal.about(case, "case.reopened", reason="not_solved")
        else:
            self.journal.about(case, "case.status_changed", status="open")
